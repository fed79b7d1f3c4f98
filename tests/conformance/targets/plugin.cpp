// A target of a plugin, the way the compiler and the runtime use one: asked about each op, given
// the program, its code loaded onto a device and run through the device table.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "backends/plugin/compile.h"
#include "backends/plugin/constants.h"
#include "backends/plugin/offers.h"
#include "backends/plugin/program_view.h"
#include "base/status.h"
#include "passes/cost/table.h"
#include "passes/pipeline.h"
#include "passes/step.h"
#include "runtime/device/error.h"
#include "runtime/plugin/plugin.h"
#include "tests/conformance/targets/memory.h"
#include "tests/conformance/targets/target.h"
#include "tools/compiler/diagnostics.h"
#include "tools/compiler/sections.h"

namespace lathe::conformance {
namespace {

using plugin::Code;
using plugin::ProgramView;
using runtime::Device;
using runtime::Plugin;

// A program as the plugin sees it, and the code that it made. Members point to those before them.
struct Compiled {
  Compiled(const Program &program, mlir::OwningOpRef<mlir::ModuleOp> shown, std::string bytecode)
      : module(std::move(shown)),
        reader([&program](llvm::StringRef name) { return program.bytes(name); }),
        view(*module, std::move(bytecode),
             [this](ir::WeightOp weight, bool scales, uint64_t offset, uint64_t size, void *out) {
               return runtime::giveError(reader.read(weight, scales, offset, size, out));
             }) {}

  mlir::OwningOpRef<mlir::ModuleOp> module;
  plugin::ConstantReader reader;
  ProgramView view;
  std::unique_ptr<Code> code;
};

class LoadedCase : public Loaded {
public:
  LoadedCase(const Program &program, std::shared_ptr<Device> device,
             std::unique_ptr<Compiled> compiled)
      : program_(program), device_(std::move(device)), compiled_(std::move(compiled)) {}

  absl::Status load();
  absl::StatusOr<std::vector<reference::Tensor>> run(size_t step) override;

private:
  absl::Status makeBuffers();
  absl::Status writeInputs(size_t step);
  absl::StatusOr<std::vector<reference::Tensor>> readResults(const Step &step);
  uint64_t scratchBytes() const;

  const Program &program_;
  std::shared_ptr<Device> device_;
  std::unique_ptr<Compiled> compiled_;
  runtime::Executable executable_;
  std::vector<GuardedBuffer> inputs_, results_, own_; // own_: scratch, weights, state
};

absl::Status LoadedCase::load() {
  std::vector<uint64_t> offsets;
  for (const plugin::PackedWeight &weight : compiled_->code->weights())
    offsets.push_back(weight.offset);
  LATHE_ASSIGN_OR_RETURN(executable_, device_->load(compiled_->code->bytes(),
                                                    compiled_->code->compatibility(), offsets));
  return makeBuffers();
}

uint64_t LoadedCase::scratchBytes() const {
  uint64_t bytes = 0;
  for (auto function : program_.module().getOps<mlir::func::FuncOp>())
    bytes = std::max(bytes, compiled_->code->scratchBytes(function.getName().str()));
  return bytes;
}

absl::Status LoadedCase::makeBuffers() {
  const Code &code = *compiled_->code;
  auto add = [&](std::vector<GuardedBuffer> &to, uint64_t size, bool zeroed) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(GuardedBuffer buffer, GuardedBuffer::make(*device_, size, zeroed));
    to.push_back(std::move(buffer));
    return absl::OkStatus();
  };
  for (const Input &input : program_.inputs()) {
    size_t bytes = 0;
    for (size_t s = 0; s < program_.spec().steps.size(); ++s)
      bytes = std::max(bytes, bytesOf(input.value(s)).size());
    LATHE_RETURN_IF_ERROR(add(inputs_, bytes, false));
  }
  for (const Result &result : program_.results()) {
    int64_t rows = 0;
    for (const Step &step : program_.spec().steps)
      rows = std::max(rows, result.rowsIn(step));
    LATHE_RETURN_IF_ERROR(add(results_, 4 * rows * result.columns, false));
  }
  LATHE_RETURN_IF_ERROR(add(own_, scratchBytes(), false));
  LATHE_RETURN_IF_ERROR(add(own_, code.weightBytes(), false));
  LATHE_RETURN_IF_ERROR(add(own_, code.stateBytes(), true));
  std::vector<uint8_t> packed(code.weightBytes());
  for (size_t i = 0; i < code.weights().size(); ++i)
    LATHE_RETURN_IF_ERROR(code.pack(
        i, 0, absl::MakeSpan(packed).subspan(code.weights()[i].offset, code.weights()[i].size)));
  return own_[LATHE_BIND_WEIGHTS].write(packed);
}

absl::Status LoadedCase::writeInputs(size_t step) {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    LATHE_RETURN_IF_ERROR(inputs_[i].spoil());
    LATHE_RETURN_IF_ERROR(inputs_[i].write(bytesOf(program_.inputs()[i].value(step))));
  }
  for (GuardedBuffer &result : results_)
    LATHE_RETURN_IF_ERROR(result.spoil());
  return own_[LATHE_BIND_SCRATCH].spoil();
}

absl::StatusOr<std::vector<reference::Tensor>> LoadedCase::readResults(const Step &step) {
  std::vector<reference::Tensor> tensors;
  for (size_t i = 0; i < results_.size(); ++i) {
    const Result &result = program_.results()[i];
    const std::string name = absl::StrCat("result ", i);
    LATHE_RETURN_IF_ERROR(results_[i].checkGuard(name));
    std::vector<uint8_t> bytes(4 * result.rowsIn(step) * result.columns);
    LATHE_RETURN_IF_ERROR(results_[i].checkUnwritten(name, bytes.size()));
    LATHE_RETURN_IF_ERROR(results_[i].read(absl::MakeSpan(bytes)));
    tensors.push_back(tensorOf(bytes, result.rowsIn(step), result.columns, result.is_indices));
  }
  for (size_t i = 0; i < own_.size(); ++i) {
    static const char *const names[] = {"its scratch memory", "the weights", "the state"};
    LATHE_RETURN_IF_ERROR(own_[i].checkGuard(names[i]));
  }
  return tensors;
}

absl::StatusOr<std::vector<reference::Tensor>> LoadedCase::run(size_t step) {
  const Step &of = program_.spec().steps[step];
  LATHE_RETURN_IF_ERROR(writeInputs(step));
  LATHE_ASSIGN_OR_RETURN(uint32_t entry, executable_.entry(Program::functionName(of)));
  std::vector<lathe_binding> bindings;
  for (const auto *buffers : {&inputs_, &results_, &own_})
    for (const GuardedBuffer &buffer : *buffers)
      bindings.push_back(buffer.binding());
  LATHE_RETURN_IF_ERROR(device_->run(executable_, entry, bindings, of.rows, of.output_rows));
  return readResults(of);
}

// What the plugin says of one op.
struct Verdict {
  bool takes = false;
  std::string skipped, converted_to;
};

class PluginTarget : public Target {
public:
  PluginTarget(std::shared_ptr<Plugin> plugin, const runtime::TargetProperties &target,
               std::shared_ptr<Device> device)
      : plugin_(std::move(plugin)), target_(target), device_(std::move(device)) {}

  RowsFrom rowsFrom() const override { return RowsFrom::arguments; }
  size_t batch() const override { return 16; }
  std::vector<Prepared> prepare(absl::Span<Program *const> programs) override {
    std::vector<Prepared> answers;
    for (Program *program : programs)
      answers.push_back(prepareOne(*program));
    return answers;
  }

private:
  Prepared prepareOne(const Program &program) const;
  absl::Status prepareInto(const Program &program, Prepared &answer) const;
  plugin::Target asked() const {
    return {target_.name,  plugin_->compiler(), target_.handle,      0, 0,
            target_.takes, target_.tile_rows,   target_.tile_columns};
  }
  absl::StatusOr<Verdict> ask(const plugin::Question &question) const;
  absl::StatusOr<Verdict> askAbout(mlir::Operation *op, const ProgramView &view,
                                   int64_t rows) const;
  absl::StatusOr<Verdict> askAboutLaunch(tile::LaunchOp launch, const ProgramView &view,
                                         int64_t rows) const;
  absl::StatusOr<Verdict> askAll(mlir::ModuleOp module) const;
  absl::Status lower(mlir::ModuleOp module, bool fused) const;

  std::shared_ptr<Plugin> plugin_;
  const runtime::TargetProperties &target_;
  std::shared_ptr<Device> device_;
};

// The field says the type, or the text does: of a type that no tensor has, and of a plugin of abi
// 1.1.
absl::StatusOr<Verdict> converted(const plugin::Answer &answer) {
  const std::string element = plugin::elementName(answer.converted_to);
  const std::string &type = element.empty() ? answer.text : element;
  if (roundingOf(type) == 0)
    return absl::InternalError(absl::StrCat("it answers CONVERTED and names no type that values "
                                            "are rounded to: converted_to is ",
                                            answer.converted_to, ", the text '", answer.text, "'"));
  return Verdict{true, "", type};
}

absl::StatusOr<Verdict> PluginTarget::ask(const plugin::Question &question) const {
  LATHE_ASSIGN_OR_RETURN(plugin::Answer answer, plugin::ask(asked(), question));
  switch (answer.verdict) {
  case LATHE_SUPPORT_YES: return Verdict{true, "", ""};
  case LATHE_SUPPORT_CONVERTED: return converted(answer);
  case LATHE_SUPPORT_NO:
    if (!plugin::isReason(answer.reason))
      return absl::InternalError(absl::StrCat("it answers NO without a reason: ", answer.reason));
    return Verdict{false, answer.why(), ""};
  default: return absl::InternalError(absl::StrCat("it answers with the verdict ", answer.verdict));
  }
}

// Both taken, or why one is not.
Verdict both(Verdict a, const Verdict &b) {
  if (!a.takes)
    return a;
  if (!b.takes)
    return b;
  absl::StrAppend(&a.converted_to, a.converted_to.empty() || b.converted_to.empty() ? "" : "; ",
                  b.converted_to);
  return a;
}

absl::StatusOr<Verdict> PluginTarget::askAboutLaunch(tile::LaunchOp launch, const ProgramView &view,
                                                     int64_t rows) const {
  Verdict all{true, "", ""};
  LATHE_RETURN_IF_ERROR(
      plugin::forEachAsked(launch, rows, [&](mlir::Operation *op, int64_t points) -> absl::Status {
        LATHE_ASSIGN_OR_RETURN(Verdict one,
                               ask({view.op(op), rows, passes::cost::kExpectedContext, points}));
        all = both(std::move(all), one);
        return absl::OkStatus();
      }));
  return all;
}

absl::StatusOr<Verdict> PluginTarget::askAbout(mlir::Operation *op, const ProgramView &view,
                                               int64_t rows) const {
  if (auto launch = mlir::dyn_cast<tile::LaunchOp>(op))
    return askAboutLaunch(launch, view, rows);
  if (asked().takesTiles())
    return Verdict{false,
                   absl::StrCat("unsupported_op: ", op->getName().getStringRef().str(),
                                " has no form in tiles"),
                   ""};
  return ask({view.op(op), rows, passes::cost::kExpectedContext});
}

// Kernels are asked about where they are launched, and weights not at all.
absl::StatusOr<Verdict> PluginTarget::askAll(mlir::ModuleOp module) const {
  ProgramView view(module, "", [](auto...) -> lathe_error * { return nullptr; });
  Verdict all{true, "", ""};
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (tile::sizeOf(function))
      continue;
    for (mlir::Operation &op : function.getBody().front().without_terminator()) {
      if (mlir::isa<ir::WeightOp>(op))
        continue;
      LATHE_ASSIGN_OR_RETURN(Verdict one, askAbout(&op, view, passes::maxRows(function)));
      all = both(std::move(all), one);
    }
  }
  return all;
}

absl::Status PluginTarget::lower(mlir::ModuleOp module, bool fused) const {
  compiler::CollectedDiagnostics diagnostics(*module.getContext());
  if (asked().takesTiles() &&
      mlir::failed(passes::tiles(module, target_.tile_rows, target_.tile_columns, fused)))
    return diagnostics.status("making kernels over tiles");
  return absl::OkStatus();
}

// Ops of a function beside weights.
size_t opCount(mlir::func::FuncOp function) {
  return llvm::count_if(function.getBody().front().without_terminator(),
                        [](mlir::Operation &op) { return !mlir::isa<ir::WeightOp>(op); });
}

bool hasSingleOps(const Program &program) {
  return llvm::all_of(program.module().getOps<mlir::func::FuncOp>(),
                      [](auto function) { return opCount(function) == 1; });
}

absl::Status PluginTarget::prepareInto(const Program &program, Prepared &answer) const {
  mlir::OwningOpRef<mlir::ModuleOp> module(program.module().clone());
  LATHE_RETURN_IF_ERROR(lower(*module, /*fused=*/false));
  LATHE_ASSIGN_OR_RETURN(Verdict verdict, askAll(*module));
  answer.skipped = verdict.skipped;
  answer.converted_to = verdict.converted_to;
  if (verdict.takes && asked().takesSingleOps() && !hasSingleOps(program))
    answer.skipped = "takes_ops: the target takes functions of a single op only";
  if (!answer.skipped.empty())
    return absl::OkStatus();
  LATHE_RETURN_IF_ERROR(lower(*module, /*fused=*/true));
  LATHE_ASSIGN_OR_RETURN(std::string bytecode, compiler::bytecodeOf(*module));
  auto compiled = std::make_unique<Compiled>(program, std::move(module), std::move(bytecode));
  LATHE_ASSIGN_OR_RETURN(compiled->code, Code::compile(asked(), *compiled->view.program(),
                                                       [](double) { return true; }));
  auto loaded = std::make_unique<LoadedCase>(program, device_, std::move(compiled));
  LATHE_RETURN_IF_ERROR(loaded->load());
  answer.loaded = std::move(loaded);
  return absl::OkStatus();
}

Prepared PluginTarget::prepareOne(const Program &program) const {
  Prepared answer;
  answer.failed = prepareInto(program, answer);
  return answer;
}

std::string namesOf(const Plugin &plugin) {
  return absl::StrJoin(plugin.targets(), ", ",
                       [](std::string *out, const auto &target) { *out += target.name; });
}

absl::StatusOr<const runtime::TargetProperties *> chooseTarget(const Plugin &plugin,
                                                               std::string name) {
  if (absl::StartsWith(name, plugin.name() + ":"))
    name = name.substr(plugin.name().size() + 1);
  for (const runtime::TargetProperties &target : plugin.targets())
    if (name.empty() || target.name == name)
      return &target;
  return absl::InvalidArgumentError(absl::StrCat("target '", name, "' is not known; plugin ",
                                                 plugin.name(), " has: ", namesOf(plugin)));
}

// The first device that runs code of the target.
absl::StatusOr<std::shared_ptr<Device>> chooseDevice(Plugin &plugin,
                                                     const runtime::TargetProperties &target) {
  std::string why;
  for (uint32_t i = 0; i < plugin.deviceCount(); ++i) {
    LATHE_ASSIGN_OR_RETURN(auto device, plugin.openDevice(i));
    LATHE_ASSIGN_OR_RETURN(auto fits, device->compatibility(target.compatibility));
    if (fits.verdict != runtime::Compatibility::Verdict::no)
      return device;
    why = fits.reason;
  }
  return absl::FailedPreconditionError(absl::StrCat("plugin ", plugin.name(),
                                                    " has no device that runs code of its target ",
                                                    target.name, why.empty() ? "" : ": ", why));
}

} // namespace

absl::StatusOr<std::unique_ptr<Target>> openPlugin(const TargetOptions &options) {
  runtime::PluginOptions host;
  host.threads = options.threads;
  for (const std::string &option : options.plugin_options)
    host.options.insert(
        std::pair<std::string, std::string>(absl::StrSplit(option, absl::MaxSplits('=', 1))));
  LATHE_ASSIGN_OR_RETURN(auto plugin, Plugin::load(options.plugin, host));
  if (!plugin->compiler())
    return absl::FailedPreconditionError(absl::StrCat("plugin ", plugin->name(),
                                                      " has no compile half: there is no code "
                                                      "that cases could be run with"));
  LATHE_ASSIGN_OR_RETURN(const auto *target, chooseTarget(*plugin, options.target));
  LATHE_ASSIGN_OR_RETURN(auto device, chooseDevice(*plugin, *target));
  return std::make_unique<PluginTarget>(plugin, *target, std::move(device));
}

absl::StatusOr<std::unique_ptr<Target>> openTarget(const TargetOptions &options) {
  return options.plugin.empty() ? openX86(options) : openPlugin(options);
}

} // namespace lathe::conformance
