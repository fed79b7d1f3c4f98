#include "passes/explain.h"

#include <set>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include "ir/lathe/dialect.h"

namespace lathe::passes {

namespace {

using mlir::DictionaryAttr;
using mlir::func::FuncOp;

constexpr llvm::StringLiteral kExplain = "lathe.explain";

// A name around the number of its layer: "model.layers.3.self_attn" is 3 and "self_attn".
struct LayerName {
  int64_t layer;
  llvm::StringRef rest;
};

std::optional<LayerName> splitLayer(llvm::StringRef name) {
  while (!name.empty()) {
    if (int64_t layer; name.consume_front("layers.") && !name.consumeInteger(10, layer))
      return LayerName{layer, name.ltrim('.')};
    name = name.split('.').second;
  }
  return std::nullopt;
}

DictionaryAttr encode(mlir::Builder &builder, const Alternative &alternative) {
  mlir::NamedAttrList fields;
  fields.set("choice", builder.getStringAttr(alternative.choice));
  fields.set("cost", builder.getStringAttr(alternative.cost));
  return fields.getDictionary(builder.getContext());
}

DictionaryAttr encode(mlir::Builder &builder, std::optional<int64_t> layer,
                      const Decision &decision) {
  mlir::NamedAttrList fields;
  llvm::StringRef pass = decision.pass;
  pass.consume_front("lathe-");
  fields.set("pass", builder.getStringAttr(pass));
  fields.set("op", builder.getStringAttr(decision.op));
  fields.set("choice", builder.getStringAttr(decision.choice));
  fields.set("why", builder.getStringAttr(decision.why));
  if (layer)
    fields.set("layer", builder.getI64IntegerAttr(*layer));
  if (!decision.cost.empty())
    fields.set("cost", builder.getStringAttr(decision.cost));
  llvm::SmallVector<mlir::Attribute> alternatives;
  for (const Alternative &alternative : decision.alternatives)
    alternatives.push_back(encode(builder, alternative));
  if (!alternatives.empty())
    fields.set("alternatives", builder.getArrayAttr(alternatives));
  return fields.getDictionary(builder.getContext());
}

using Layers = std::set<int64_t>;

// Decisions that differ in their layer only, in the order in which the first of each was made.
llvm::MapVector<DictionaryAttr, Layers> merged(mlir::ArrayAttr decisions) {
  llvm::MapVector<DictionaryAttr, Layers> groups;
  for (DictionaryAttr decision : decisions.getAsRange<DictionaryAttr>()) {
    mlir::NamedAttrList fields(decision);
    const mlir::Attribute layer = fields.erase("layer");
    Layers &layers = groups[fields.getDictionary(decision.getContext())];
    if (auto number = mlir::dyn_cast_or_null<mlir::IntegerAttr>(layer))
      layers.insert(number.getInt());
  }
  return groups;
}

// {0, 1, 2, 5} is "0-2,5".
std::string rangesText(const Layers &layers) {
  std::string text;
  for (auto it = layers.begin(); it != layers.end();) {
    const int64_t first = *it;
    int64_t last = first;
    for (++it; it != layers.end() && *it == last + 1; ++it)
      last = *it;
    text += (text.empty() ? "" : ",") + std::to_string(first);
    if (last > first)
      text += "-" + std::to_string(last);
  }
  return text;
}

void writeText(llvm::json::OStream &json, DictionaryAttr fields, llvm::StringRef name) {
  auto text = fields.getAs<mlir::StringAttr>(name);
  json.attribute(name, llvm::json::fixUTF8(text ? text.getValue() : ""));
}

void writeAlternative(llvm::json::OStream &json, DictionaryAttr alternative) {
  json.object([&] {
    writeText(json, alternative, "choice");
    writeText(json, alternative, "cost");
  });
}

void writeDecision(llvm::json::OStream &json, llvm::StringRef step, DictionaryAttr decision,
                   const Layers &layers) {
  json.object([&] {
    json.attribute("step", llvm::json::fixUTF8(step));
    writeText(json, decision, "pass");
    json.attribute("layers", rangesText(layers));
    for (llvm::StringRef name : {"op", "choice", "why"})
      writeText(json, decision, name);
    if (decision.contains("cost"))
      writeText(json, decision, "cost");
    if (auto alternatives = decision.getAs<mlir::ArrayAttr>("alternatives"))
      json.attributeArray("alternatives", [&] {
        for (DictionaryAttr alternative : alternatives.getAsRange<DictionaryAttr>())
          writeAlternative(json, alternative);
      });
  });
}

bool holdsDictionaries(mlir::ArrayAttr array) {
  return llvm::all_of(array, llvm::IsaPred<DictionaryAttr>);
}

// What a file holds may be anything; an attribute of another form counts as none.
mlir::ArrayAttr decisionsOf(FuncOp function) {
  auto decisions = function->getAttrOfType<mlir::ArrayAttr>(kExplain);
  if (!decisions || !holdsDictionaries(decisions))
    return mlir::ArrayAttr::get(function.getContext(), {});
  for (DictionaryAttr decision : decisions.getAsRange<DictionaryAttr>())
    if (auto alternatives = decision.getAs<mlir::ArrayAttr>("alternatives"))
      if (!holdsDictionaries(alternatives))
        return mlir::ArrayAttr::get(function.getContext(), {});
  return decisions;
}

} // namespace

std::optional<int64_t> layerOf(mlir::Location location) {
  std::optional<int64_t> layer;
  location->walk([&](mlir::Location part) {
    auto name = mlir::dyn_cast<mlir::NameLoc>(part);
    const auto split = name ? splitLayer(name.getName()) : std::nullopt;
    if (!split)
      return mlir::WalkResult::advance();
    layer = split->layer;
    return mlir::WalkResult::interrupt();
  });
  return layer;
}

std::string placeInModel(mlir::Location location) {
  auto name = location->findInstanceOf<mlir::NameLoc>();
  return name ? name.getName().str() : "";
}

std::string nameOfWeight(mlir::Value weight) {
  auto op = weight.getDefiningOp<ir::WeightOp>();
  if (!op)
    return "a computed weight";
  const std::optional<LayerName> split = splitLayer(op.getName());
  return (split ? split->rest : op.getName()).str();
}

void explain(mlir::Operation *op, const Decision &decision) {
  auto function = op->getParentOfType<FuncOp>();
  mlir::Builder builder(op->getContext());
  llvm::SmallVector<mlir::Attribute> decisions(decisionsOf(function).getValue());
  decisions.push_back(encode(builder, layerOf(op->getLoc()), decision));
  function->setAttr(kExplain, builder.getArrayAttr(decisions));
}

std::string explainJson(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::json::OStream json(out, /*IndentSize=*/2);
  json.array([&] {
    for (FuncOp function : module.getOps<FuncOp>())
      for (const auto &[decision, layers] : merged(decisionsOf(function)))
        writeDecision(json, function.getName(), decision, layers);
  });
  return text;
}

} // namespace lathe::passes
