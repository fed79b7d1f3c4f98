// The compile half: every description is a target, whether such a device is open or not. An op is
// taken if code of it alone can be made.
#include "codegen/generator.h"
#include "plugin/halves.h"

using npu::text;
using namespace npu::plugin;
using npu::codegen::Generator;

namespace npu::plugin {
namespace {

// ---- Targets

constexpr double host_link = 24e9; // bytes a second to a card; an assumption

struct Target {
  explicit Target(Device description) : device(std::move(description)) {
    compatibility = compatibility_of(device);
    struct_of = {};
    struct_of.struct_size = sizeof struct_of;
    struct_of.name = shown(device.name);
    struct_of.description = shown(device.description);
    struct_of.compatibility = shown(compatibility);
    struct_of.details = shown(builtinDeviceText(device.name));
    struct_of.memory_bytes = device.global.bytes;
    struct_of.transfer_bandwidth = host_link;
    struct_of.transfer_seconds = device.launchMicroseconds * 1e-6;
    struct_of.takes = LATHE_TAKES_OPS | LATHE_TAKES_PARTITIONS;
  }
  Device device;
  std::string compatibility;
  lathe_target struct_of;
};

struct Targets {
  Targets() {
    for (std::string_view name : builtinDeviceNames())
      if (Result<Device> device = builtinDevice(name); device.ok())
        all.push_back(std::make_unique<Target>(std::move(*device)));
    for (const auto &target : all)
      shown_all.push_back(&target->struct_of);
  }
  const Device *find(const lathe_target *target) const {
    for (const auto &each : all)
      if (target && each->device.name == view(take(target).name))
        return &each->device;
    return nullptr;
  }
  std::vector<std::unique_ptr<Target>> all;
  std::vector<const lathe_target *> shown_all;
};

const Targets &targets() {
  static const Targets known;
  return known;
}

lathe_error *target_list(lathe_target_list_args *args) {
  lathe_target_list_args mine = take(args);
  mine.targets = targets().shown_all.data();
  mine.target_count = targets().shown_all.size();
  return give(args, mine);
}

// ---- Answers

lathe_error *supports(lathe_support_args *args) {
  lathe_support_args mine = take(args);
  const Device *device = targets().find(mine.target);
  if (!device)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "supports: that is no target of this plugin");
  Result<codegen::Op> op = codegen::Op::read(mine.op);
  if (!op.ok())
    return fail(LATHE_ERROR_INVALID_ARGUMENT, op.message());
  Generator generator(*device);
  Status asked = generator.ask(*op, static_cast<uint64_t>(std::max<int64_t>(mine.rows, 1)));
  bool refused = generator.refusal.reason != LATHE_REASON_NONE;
  if (!asked.ok() && !refused)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                text(op->name, " at '", op->location, "': ", asked.message()));
  mine.verdict = LATHE_SUPPORT_NO;
  if (asked.ok())
    mine.verdict = generator.converted.empty() ? LATHE_SUPPORT_YES : LATHE_SUPPORT_CONVERTED;
  mine.reason = generator.refusal.reason;
  mine.seconds = asked.ok() ? generator.seconds : 0;
  write_text(&mine.text, asked.ok() ? generator.converted : generator.refusal.text);
  return give(args, mine);
}

// ---- Code

// What was compiled; its base is what the host sees of it.
struct Compiled : lathe_compiled {
  explicit Compiled(const Device &device) : lathe_compiled{}, generator(device) {}

  Generator generator;
  std::string code_bytes, compatibility_text, details_text;
  std::vector<lathe_compiled_entry> entry_structs;
  std::vector<const lathe_compiled_entry *> entry_list;
  std::vector<std::string> layouts;
  std::vector<uint32_t> sources; // id of each weight's constant
  std::vector<lathe_packed_weight> weight_structs;
  std::vector<const lathe_packed_weight *> weight_list;
};

void release_compiled(lathe_compiled *it) { delete static_cast<Compiled *>(it); }

lathe_error *pack(lathe_pack_args *args) {
  lathe_pack_args mine = take(args);
  const Generator &generator = static_cast<Compiled *>(mine.compiled)->generator;
  if (mine.weight >= generator.weights.size())
    return fail(LATHE_ERROR_INVALID_ARGUMENT, text("there is no weight ", mine.weight));
  const Generator::PackedWeight &weight = generator.weights[mine.weight];
  uint64_t all = weight.packing.bytes();
  if (mine.offset > all || mine.size > all - mine.offset)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, text("weight ", mine.weight, " has ", all, " bytes"));
  codegen::Constant source(mine.program, weight.weight.constant, weight.weight.type);
  Status packed = codegen::pack(source, weight.packing, mine.offset, mine.size,
                                static_cast<std::byte *>(mine.destination));
  return packed.ok() ? nullptr : fail(LATHE_ERROR_INTERNAL, packed.message());
}

void show_entries(Compiled &compiled) {
  for (const Entry &entry : compiled.generator.code.entries)
    compiled.entry_structs.push_back(
        {sizeof(lathe_compiled_entry), shown(entry.name), entry.scratch_bytes});
  for (const lathe_compiled_entry &entry : compiled.entry_structs)
    compiled.entry_list.push_back(&entry);
}

void show_weights(Compiled &compiled) {
  const auto &all = compiled.generator.weights;
  for (const auto &weight : all) {
    compiled.layouts.push_back(weight.packing.layout());
    compiled.sources.push_back(take(weight.weight.constant).id);
  }
  for (size_t i = 0; i < all.size(); ++i)
    compiled.weight_structs.push_back({sizeof(lathe_packed_weight), shown(compiled.layouts[i]),
                                       &compiled.sources[i], 1, all[i].packing.bytes(), 512});
  for (const lathe_packed_weight &weight : compiled.weight_structs)
    compiled.weight_list.push_back(&weight);
}

void finish(Compiled &compiled) {
  Generator &generator = compiled.generator;
  generator.code.weights = generator.weights.size();
  show_entries(compiled);
  show_weights(compiled);
  compiled.code_bytes = write_code(generator.code);
  compiled.compatibility_text = compatibility_of(generator.device);
  compiled.details_text = text("{\"kernels\": ", generator.code.module.kernels.size(),
                               ", \"converted\": \"", generator.converted, "\"}");
  lathe_compiled &it = compiled;
  it.struct_size = sizeof it;
  it.compatibility = shown(compiled.compatibility_text);
  it.code = compiled.code_bytes.data(), it.code_size = compiled.code_bytes.size();
  it.entries = compiled.entry_list.data(), it.entry_count = compiled.entry_list.size();
  it.weights = compiled.weight_list.data(), it.weight_count = compiled.weight_list.size();
  it.state_bytes = generator.code.state_bytes;
  it.details = shown(compiled.details_text);
  it.pack = pack;
  it.release = release_compiled;
}

Status add_function(Generator &generator, const lathe_function &function) {
  NPU_RETURN_IF_ERROR(generator.begin_entry(function));
  for (size_t i = 0; i < function.op_count; ++i) {
    NPU_ASSIGN_OR_RETURN(codegen::Op op, codegen::Op::read(function.ops[i]));
    if (Status added = generator.add(op); !added.ok())
      return error(op.name, " at '", op.location, "': ", added.message());
  }
  return generator.end_entry(function);
}

lathe_error *compile(lathe_compile_args *args) {
  lathe_compile_args mine = take(args);
  const Device *device = targets().find(mine.target);
  if (!device)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "compile: that is no target of this plugin");
  lathe_program program = take(mine.program);
  auto compiled = std::make_unique<Compiled>(*device);
  for (size_t i = 0; i < program.function_count; ++i) {
    Status added = add_function(compiled->generator, take(program.functions[i]));
    if (!added.ok())
      return fail(LATHE_ERROR_FAILED_PRECONDITION, added.message());
    double done = static_cast<double>(i + 1) / static_cast<double>(program.function_count);
    if (mine.progress && mine.progress(mine.context, done))
      return fail(LATHE_ERROR_UNAVAILABLE, "compile: stopped by the host");
  }
  finish(*compiled);
  mine.compiled = compiled.release();
  return give(args, mine);
}

lathe_compile_api make_api() {
  lathe_compile_api api = {};
  api.struct_size = sizeof api;
  api.target_list = target_list;
  api.supports = supports;
  api.compile = compile;
  return api;
}

} // namespace

const lathe_compile_api compile_api = make_api();

} // namespace npu::plugin
