#include "passes/explain.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include "ir/lathe/dialect.h"

namespace lathe::passes {
namespace {

using nlohmann::json;

class Explain : public testing::Test {
protected:
  Explain() { context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>(); }

  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text) {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    return module;
  }
  json explained(mlir::ModuleOp module) { return json::parse(explainJson(module)); }
  mlir::Location named(llvm::StringRef name) {
    return mlir::NameLoc::get(mlir::StringAttr::get(&context, name));
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
};

// A function with an op for each location.
std::string program(std::vector<std::string> locations) {
  std::string text = "func.func @decode(%x: tensor<1x4xf32>) {\n";
  for (const std::string &location : locations)
    text += "  lathe.add %x, %x : tensor<1x4xf32> loc(\"" + location + "\")\n";
  return text + "  return\n}\n";
}

void explainAll(mlir::ModuleOp module, const Decision &decision) {
  module.walk([&](ir::AddOp op) { explain(op, decision); });
}

TEST_F(Explain, makesEqualDecisionsOfSeveralLayersOne) {
  auto module =
      parse(program({"layers.0.mlp", "model.layers.1.mlp.experts", "layers.2", "layers.5.mlp"}));
  explainAll(*module, {"lathe-fuse-things", "add", "fused", "it pays"});
  EXPECT_EQ(explained(*module),
            json::parse(R"([{"step": "decode", "pass": "fuse-things", "layers": "0-2,5",
    "op": "add", "choice": "fused", "why": "it pays"}])"));
}

TEST_F(Explain, keepsDifferentDecisionsApartAndInOrder) {
  auto module = parse(program({"layers.1.mlp", "lm_head"}));
  explainAll(*module, {"lathe-b", "add", "x", "first"});
  explainAll(*module, {"lathe-a", "add", "y", "second", "1 ms", {{"z", "2 ms"}}});
  EXPECT_EQ(explained(*module), json::parse(R"([
    {"step": "decode", "pass": "b", "layers": "1", "op": "add", "choice": "x", "why": "first"},
    {"step": "decode", "pass": "a", "layers": "1", "op": "add", "choice": "y", "why": "second",
     "cost": "1 ms", "alternatives": [{"choice": "z", "cost": "2 ms"}]}])"));
}

TEST_F(Explain, isEmptyWhereNothingWasDecided) {
  EXPECT_EQ(explained(*parse(program({}))), json::array());
}

TEST_F(Explain, takesAnAttributeOfAnotherFormForNone) {
  for (const char *value : {"3 : i64", "[3 : i64]", "[{alternatives = [3 : i64]}]"}) {
    auto module =
        parse("func.func @f() attributes {lathe.explain = " + std::string(value) + "} { return }");
    EXPECT_EQ(explained(*module), json::array()) << value;
  }
  auto module = parse(
      "func.func @f() attributes {lathe.explain = [{layer = \"x\", why = 3 : i64}]} { return }");
  EXPECT_EQ(explained(*module)[0]["why"], "");
}

TEST_F(Explain, findsTheLayerInALocation) {
  EXPECT_EQ(layerOf(named("layers.3.self_attn")), 3);
  EXPECT_EQ(layerOf(named("model.layers.12.mlp")), 12);
  EXPECT_EQ(layerOf(named("layers.7")), 7);
  EXPECT_EQ(layerOf(mlir::FusedLoc::get(&context, {named("norm"), named("layers.4")})), 4);
  for (const char *other : {"lm_head", "layers", "layers.", "layers.x", "players.3", ""})
    EXPECT_EQ(layerOf(named(other)), std::nullopt) << other;
  EXPECT_EQ(layerOf(mlir::UnknownLoc::get(&context)), std::nullopt);
}

TEST_F(Explain, namesAWeightWithoutItsLayer) {
  auto module = parse(R"(func.func @f(%x: tensor<4xf32>) {
    lathe.weight "model.layers.3.self_attn.q_proj.weight" from [#lathe.tensor_ref<"q">] : tensor<4xf32>
    lathe.weight "lm_head.weight" from [#lathe.tensor_ref<"h">] : tensor<4xf32>
    return
  })");
  std::vector<std::string> names;
  module->walk([&](ir::WeightOp op) { names.push_back(nameOfWeight(op.getResult())); });
  EXPECT_THAT(names, testing::ElementsAre("self_attn.q_proj.weight", "lm_head.weight"));
  auto function = *module->getOps<mlir::func::FuncOp>().begin();
  EXPECT_EQ(nameOfWeight(function.getArgument(0)), "a computed weight");
}

} // namespace
} // namespace lathe::passes
