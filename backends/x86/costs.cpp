#include "backends/x86/costs.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/JSON.h"

#include "backends/x86/select/choice.h"

__asm__(".section .rodata\nlathe_x86_costs:\n.incbin \"" LATHE_X86_COSTS
        "\"\nlathe_x86_costs_end:\n.byte 0\n.previous\n");
extern "C" __attribute__((visibility("hidden"))) const char lathe_x86_costs[],
    lathe_x86_costs_end[];

namespace lathe::x86 {
namespace {

mlir::Attribute attributeOf(mlir::Builder &builder, const llvm::json::Value &value);

mlir::DictionaryAttr dictionaryOf(mlir::Builder &builder, const llvm::json::Object &object) {
  mlir::NamedAttrList fields;
  for (const auto &[name, value] : object)
    fields.set(llvm::StringRef(name), attributeOf(builder, value));
  return fields.getDictionary(builder.getContext());
}

// Objects, lists of numbers, numbers and texts: all that the table has.
mlir::Attribute attributeOf(mlir::Builder &builder, const llvm::json::Value &value) {
  if (const llvm::json::Object *object = value.getAsObject())
    return dictionaryOf(builder, *object);
  if (const llvm::json::Array *list = value.getAsArray())
    return builder.getDenseF64ArrayAttr(llvm::map_to_vector(
        *list, [](const llvm::json::Value &item) { return item.getAsNumber().value_or(0); }));
  if (std::optional<double> number = value.getAsNumber())
    return builder.getF64FloatAttr(*number);
  return builder.getStringAttr(value.getAsString().value_or(""));
}

// The file is part of this library and a test reads it, so it is well formed.
const llvm::json::Object &wholeTable() {
  static const llvm::json::Value table = llvm::cantFail(llvm::json::parse(
      {lathe_x86_costs, static_cast<size_t>(lathe_x86_costs_end - lathe_x86_costs)}));
  return *table.getAsObject();
}

const llvm::json::Object *measured(const Level &level) {
  const llvm::json::Object *best = nullptr;
  for (const Level &lower : levels()) {
    if (const llvm::json::Object *entry = wholeTable().getObject(lower.name))
      best = entry;
    if (lower.name == level.name)
      break;
  }
  return best;
}

mlir::DictionaryAttr numbersOf(mlir::MLIRContext &context, const Level &level) {
  mlir::Builder builder(&context);
  mlir::NamedAttrList numbers(dictionaryOf(builder, *measured(level)));
  numbers.set("latent_expansion_rows",
              builder.getF64FloatAttr(static_cast<double>(materialisedRowsPerItem(INT64_MAX))));
  return numbers.getDictionary(&context);
}

} // namespace

void setCosts(mlir::ModuleOp module, llvm::ArrayRef<const Level *> levels) {
  mlir::NamedAttrList targets;
  for (const Level *level : levels)
    targets.set(level->name, numbersOf(*module.getContext(), *level));
  module->setAttr(passes::cost::kCosts, targets.getDictionary(module.getContext()));
}

passes::cost::Table costsOf(mlir::MLIRContext &context, const Level &level) {
  return {level.name.str(), numbersOf(context, level)};
}

} // namespace lathe::x86
