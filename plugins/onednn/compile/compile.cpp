// The compile half at the border: targets, questions about ops, programs to code.
#include <memory>

#include "compile/entries.h"
#include "compile/support.h"
#include "compile/targets.h"
#include "onednn.h"

namespace onednn {
namespace {

// What the host sees of Made, and its owner.
struct Compiled : lathe_compiled {
  Made made;
  std::vector<uint8_t> code;
  std::string details;
  std::vector<std::string> names;
  std::vector<lathe_compiled_entry> entries;
  std::vector<const lathe_compiled_entry *> entry_list;
};

constexpr lathe_target targetOf(std::string_view name, std::string_view description,
                                std::string_view compatibility) {
  lathe_target target = {};
  target.struct_size = sizeof target;
  target.name = text(name);
  target.description = text(description);
  target.compatibility = text(compatibility);
  target.transfer_bandwidth = 8e9; // a copy in the host's memory, read and written
  target.transfer_seconds = 5e-7;
  target.takes = LATHE_TAKES_OPS | LATHE_TAKES_PARTITIONS;
  return target;
}

const lathe_target kTargets[] = {
    targetOf("f32", "oneDNN on the host's CPU, all products in f32", kCompatibilityF32),
    targetOf("bf16", "oneDNN on the host's CPU, products of bf16 with sums in f32 (AMX)",
             kCompatibilityBf16)};
const lathe_target *const kTargetList[] = {&kTargets[0], &kTargets[1]};

// NULL, which a host that asks before it lists may hand in, is the first one.
Products productsOf(const lathe_target *target) {
  return target == &kTargets[1] ? Products::bf16 : Products::f32;
}

lathe_error *targetList(lathe_target_list_args *args) {
  return answer([&] {
    lathe_target_list_args mine = take(args);
    mine.targets = kTargetList;
    mine.target_count = std::size(kTargetList);
    give(args, mine);
  });
}

lathe_error *supports(lathe_support_args *args) {
  return answer([&] {
    lathe_support_args mine = take(args);
    const Verdict verdict = judge(mine.op, productsOf(mine.target), mine.rows, mine.keys);
    mine.verdict = verdict.verdict;
    mine.reason = verdict.reason;
    mine.seconds = verdict.seconds;
    if (verdict.verdict == LATHE_SUPPORT_CONVERTED)
      mine.converted_to = LATHE_ELEMENT_BF16;
    writeText(mine.text, verdict.text);
    give(args, mine);
  });
}

lathe_error *pack(lathe_pack_args *args) {
  return answer([&] {
    const lathe_pack_args mine = take(args);
    static_cast<const Compiled *>(mine.compiled)->made.weights.pack(mine.program, mine);
  });
}

void show(Compiled &compiled, Products products) {
  const Made &made = compiled.made;
  for (size_t i = 0; i < made.code.entries.size(); ++i)
    compiled.names.push_back(made.code.entries[i].name);
  for (size_t i = 0; i < compiled.names.size(); ++i)
    compiled.entries.push_back(
        {sizeof(lathe_compiled_entry), text(compiled.names[i]), made.scratch_bytes[i]});
  for (const lathe_compiled_entry &entry : compiled.entries)
    compiled.entry_list.push_back(&entry);
  lathe_compiled &shown = compiled;
  shown = {};
  shown.struct_size = sizeof shown;
  shown.compatibility = text(compatibilityOf(products));
  shown.code = compiled.code.data();
  shown.code_size = compiled.code.size();
  shown.entries = compiled.entry_list.data();
  shown.entry_count = compiled.entry_list.size();
  shown.weights = made.weights.shown();
  shown.weight_count = made.weights.count();
  shown.state_bytes = made.state.bytes();
  shown.details = text(compiled.details);
  shown.pack = pack;
  shown.release = [](lathe_compiled *shown) { delete static_cast<Compiled *>(shown); };
}

lathe_error *compile(lathe_compile_args *args) {
  return answer([&] {
    lathe_compile_args mine = take(args);
    const lathe_program program = take(mine.program);
    const Products products = productsOf(mine.target);
    auto compiled = std::make_unique<Compiled>();
    Made &made = compiled->made;
    for (size_t i = 0; i < program.function_count; ++i) {
      addEntry(program.functions[i], products, made);
      const double done = static_cast<double>(i + 1) / static_cast<double>(program.function_count);
      if (mine.progress && mine.progress(mine.context, done))
        fail(LATHE_ERROR_UNAVAILABLE, "compile: stopped by the host");
    }
    made.code.weight_count = made.weights.count();
    compiled->code = writeCode(made.code);
    compiled->details = std::string("{\"products\":\"") +
                        (products == Products::bf16 ? "bf16" : "f32") +
                        "\",\"weights\":" + made.weights.conversions() + "}";
    show(*compiled, products);
    mine.compiled = compiled.release();
    give(args, mine);
  });
}

} // namespace

const lathe_compile_api compile_api = {.struct_size = sizeof compile_api,
                                       .next = nullptr,
                                       .target_list = targetList,
                                       .supports = supports,
                                       .compile = compile};

} // namespace onednn
