// What a compile half is shown of a program.
#include "backends/plugin/program_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlir/Parser/Parser.h"

#include "ir/tile/dialect.h"

namespace lathe::plugin {
namespace {

std::string textOf(lathe_string text) { return {text.data, text.size}; }

class View : public testing::Test {
protected:
  View() { context_.loadDialect<mlir::func::FuncDialect, ir::LatheDialect, tile::TileDialect>(); }

  const lathe_program &show(llvm::StringRef text) {
    module_ = mlir::parseSourceString<mlir::ModuleOp>(text, &context_);
    EXPECT_TRUE(module_);
    view_.emplace(*module_, "bytes",
                  [this](ir::WeightOp weight, bool scales, uint64_t offset, uint64_t size, void *) {
                    asked_ = {weight.getName().str(), scales, offset, size};
                    return nullptr;
                  });
    return *view_->program();
  }

  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::optional<ProgramView> view_;
  std::tuple<std::string, bool, uint64_t, uint64_t> asked_;
};

constexpr char kStep[] = R"(
func.func @prefill(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>, %cache: !lathe.latent_cache<slots = 1, max_context = 9, kv_lora_rank = 8, rope_dim = 4, element = bf16> {lathe.name = "layers.0.latent"}) -> (tensor<?x6xf32>, !lathe.latent_cache<slots = 1, max_context = 9, kv_lora_rank = 8, rope_dim = 4, element = bf16>) attributes {lathe.max_rows = 7 : i64} {
  %w = lathe.weight "table" from [#lathe.tensor_ref<"e">] : tensor<5x6xbf16>
  %g = lathe.weight "norm" from [#lathe.tensor_ref<"n">] : tensor<6xf32>
  %q = lathe.weight "proj" from [#lathe.tensor_ref<"p">] scales [#lathe.tensor_ref<"s">] : !lathe.quantized<6x6xf8E4M3FN, block<128x128xf32>>
  %h = lathe.embedding %tokens, %w : (tensor<?xi32>, tensor<5x6xbf16>) -> tensor<?x6xf32>
  %n = lathe.rms_norm %h, %g epsilon = 2.500000e-01 {arena_offsets = array<i64: 0>} : tensor<?x6xf32>, tensor<6xf32> loc("layers.3")
  %p = lathe.scaled_matmul %n, %q : (tensor<?x6xf32>, !lathe.quantized<6x6xf8E4M3FN, block<128x128xf32>>) -> tensor<?x6xf32>
  %i, %e = lathe.moe_route %p routing = <score = sigmoid, top_k = 2, n_group = 3, topk_group = 2, group_score = top2_sum, renormalize = true, scale = 2.500000e+00 : f32> : (tensor<?x6xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %p, %i : (tensor<?x6xf32>, tensor<?x2xi32>) -> (tensor<?x6xf32>, tensor<?xi32>, tensor<7xi32>)
  %l = lathe.select_rows %p, %output_rows : (tensor<?x6xf32>, tensor<?xi32>) -> tensor<?x6xf32>
  return %l, %cache : tensor<?x6xf32>, !lathe.latent_cache<slots = 1, max_context = 9, kv_lora_rank = 8, rope_dim = 4, element = bf16>
})";

TEST_F(View, ofAFunctionHasItsNamesRowsAndCaches) {
  const lathe_program &program = show(kStep);
  ASSERT_EQ(program.function_count, 1u);
  const lathe_function &function = *program.functions[0];
  EXPECT_EQ(textOf(function.name), "prefill");
  EXPECT_EQ(function.max_rows, 7);
  ASSERT_EQ(function.input_count, 5u);
  EXPECT_EQ(textOf(function.inputs[0]->name), "tokens");
  EXPECT_EQ(textOf(function.inputs[4]->name), "layers.0.latent");
  const lathe_type &cache = *function.inputs[4]->value->type;
  EXPECT_EQ(cache.kind, LATHE_TYPE_LATENT_CACHE);
  EXPECT_EQ(cache.element, LATHE_ELEMENT_BF16);
  EXPECT_EQ(cache.max_context, 9);
  EXPECT_EQ(cache.kv_lora_rank, 8);
  EXPECT_EQ(cache.rope_dim, 4);
  EXPECT_EQ(function.inputs[1]->value->is_unused, 1u); // slots
  EXPECT_EQ(function.inputs[0]->value->is_unused, 0u);
  ASSERT_EQ(function.result_count, 2u);
  EXPECT_EQ(textOf(function.results[0]->name), "logits");
  EXPECT_EQ(program.bytecode_size, 5u);
}

TEST_F(View, ofAnOpHasNamedOperandsAndWhatTheOpMeans) {
  const lathe_function &function = *show(kStep).functions[0];
  const lathe_op &norm = *function.ops[4];
  EXPECT_EQ(textOf(norm.name), "lathe.rms_norm");
  EXPECT_EQ(textOf(norm.location), "layers.3");
  ASSERT_EQ(norm.operand_count, 2u);
  EXPECT_EQ(textOf(norm.operands[0]->name), "input");
  EXPECT_EQ(textOf(norm.operands[1]->name), "scale");
  EXPECT_EQ(norm.operands[0]->value, function.ops[3]->results[0]->value);
  ASSERT_EQ(norm.attribute_count, 1u); // not what the planner noted
  EXPECT_EQ(textOf(norm.attributes[0]->name), "epsilon");
  EXPECT_EQ(norm.attributes[0]->real, 0.25);
}

TEST_F(View, givesRoutingFieldByField) {
  const lathe_op &route = *show(kStep).functions[0]->ops[6];
  std::map<std::string, const lathe_attribute *> fields;
  for (size_t i = 0; i < route.attribute_count; ++i)
    fields[textOf(route.attributes[i]->name)] = route.attributes[i];
  EXPECT_EQ(textOf(fields["routing.score"]->text), "sigmoid");
  EXPECT_EQ(fields["routing.n_group"]->integer, 3);
  EXPECT_EQ(fields["routing.topk_group"]->integer, 2);
  EXPECT_EQ(fields["routing.top_k"]->integer, 2);
  EXPECT_EQ(fields["routing.renormalize"]->integer, 1);
  EXPECT_EQ(fields["routing.scale"]->real, 2.5);
  EXPECT_EQ(textOf(fields["routing.group_score"]->text), "top2_sum");
  EXPECT_EQ(route.operand_count, 1u); // no bias
}

TEST_F(View, saysWhichRowsAValueHas) {
  const lathe_function &function = *show(kStep).functions[0];
  const lathe_type &rows = *function.ops[4]->results[0]->value->type;
  EXPECT_EQ(rows.shape[0], LATHE_EXTENT_ROWS);
  EXPECT_EQ(rows.row_factor, 1);
  EXPECT_EQ(rows.shape[1], 6);
  const lathe_type &dispatched = *function.ops[7]->results[0]->value->type;
  EXPECT_EQ(dispatched.shape[0], LATHE_EXTENT_ROWS);
  EXPECT_EQ(dispatched.row_factor, 2);
  const lathe_type &logits = *function.results[0]->value->type;
  EXPECT_EQ(logits.shape[0], LATHE_EXTENT_OUTPUT_ROWS);
  EXPECT_EQ(function.inputs[3]->value->type->shape[0], LATHE_EXTENT_OUTPUT_ROWS);
}

TEST_F(View, showsWeightsAsConstantsThatCanBeRead) {
  const lathe_program &program = show(kStep);
  ASSERT_EQ(program.constant_count, 3u);
  const lathe_constant &weight = *program.constants[2];
  EXPECT_EQ(program.functions[0]->ops[2]->constant, &weight);
  EXPECT_EQ(textOf(weight.name), "proj");
  EXPECT_EQ(weight.id, 2u);
  EXPECT_EQ(weight.type->kind, LATHE_TYPE_QUANTIZED);
  EXPECT_EQ(weight.type->element, LATHE_ELEMENT_E4M3);
  EXPECT_EQ(weight.type->scale_element, LATHE_ELEMENT_F32);
  EXPECT_EQ(weight.type->block_columns, 128);
  lathe_read_args args = {};
  args.struct_size = sizeof args;
  args.constant = &weight;
  args.scales = 1;
  args.offset = 4, args.size = 2;
  EXPECT_EQ(program.read(program.context, &args), nullptr);
  EXPECT_EQ(asked_, std::make_tuple("proj", true, 4u, 2u));
}

TEST_F(View, takesEqualWeightsOfTwoFunctionsForOneConstant) {
  std::string text;
  for (std::string name : {"a", "b"})
    text += "func.func @" + name + R"((%x: tensor<1x6xf32>) -> tensor<1x6xf32> {
      %g = lathe.weight "norm" from [#lathe.tensor_ref<"n">] : tensor<6xf32>
      %n = lathe.rms_norm %x, %g epsilon = 1.000000e-05 : tensor<1x6xf32>, tensor<6xf32>
      return %n : tensor<1x6xf32>
    })";
  const lathe_program &program = show(text);
  EXPECT_EQ(program.function_count, 2u);
  EXPECT_EQ(program.constant_count, 1u);
  EXPECT_EQ(program.functions[1]->ops[0]->constant, program.constants[0]);
  EXPECT_EQ(program.functions[1]->inputs[0]->value->type->shape[0], 1);
}

constexpr char kTiles[] = R"(
func.func private @linear(%w: tensor<20x8xbf16>, %x: tensor<?x8xf32>) -> tensor<4x16xf32> attributes {tile.size = array<i64: 4, 16>} {
  %0 = tile.load %x strip : tensor<?x8xf32> -> tensor<4x8xf32>
  %1 = tile.load_weight %w : tensor<20x8xbf16> -> tensor<16x8xbf16>
  %2 = tile.matmul %0, %1 : (tensor<4x8xf32>, tensor<16x8xbf16>) -> tensor<4x16xf32>
  return %2 : tensor<4x16xf32>
}
func.func @prefill(%x: tensor<?x8xf32>) -> tensor<?x20xf32> attributes {lathe.max_rows = 7 : i64} {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<20x8xbf16>
  %a = tile.launch @linear(%w, %x) : (tensor<20x8xbf16>, tensor<?x8xf32>) -> tensor<?x20xf32>
  return %a : tensor<?x20xf32>
})";

TEST_F(View, showsAKernelBehindItsLaunch) {
  const lathe_program &program = show(kTiles);
  ASSERT_EQ(program.function_count, 1u); // a kernel is no entry
  const lathe_function &part = *program.functions[0];
  ASSERT_EQ(part.op_count, 2u);
  EXPECT_EQ(part.tile_rows, 0);
  EXPECT_EQ(part.ops[0]->kernel, nullptr);
  const lathe_op &launch = *part.ops[1];
  EXPECT_EQ(textOf(launch.name), "tile.launch");
  ASSERT_EQ(launch.operand_count, 2u);
  EXPECT_EQ(launch.operands[0]->value, part.ops[0]->results[0]->value);
  EXPECT_EQ(launch.operands[1]->value, part.inputs[0]->value);
  EXPECT_EQ(launch.attribute_count, 0u);
  const lathe_type &result = *part.results[0]->value->type;
  EXPECT_EQ(result.shape[0], LATHE_EXTENT_ROWS);
  EXPECT_EQ(result.shape[1], 20);
  EXPECT_EQ(result.row_factor, 1); // whatever the first operand is
}

TEST_F(View, showsAKernelAsAListOfOpsOnTiles) {
  const lathe_function &kernel = *show(kTiles).functions[0]->ops[1]->kernel;
  EXPECT_EQ(kernel.tile_rows, 4);
  EXPECT_EQ(kernel.tile_columns, 16);
  EXPECT_EQ(kernel.max_rows, 0);
  ASSERT_EQ(kernel.input_count, 2u);
  EXPECT_EQ(kernel.inputs[1]->value->type->shape[0], LATHE_EXTENT_ROWS);
  ASSERT_EQ(kernel.op_count, 3u);
  const lathe_op &load = *kernel.ops[0];
  EXPECT_EQ(textOf(load.name), "tile.load");
  ASSERT_EQ(load.attribute_count, 2u);
  EXPECT_EQ(textOf(load.attributes[0]->name), "offset");
  EXPECT_EQ(textOf(load.attributes[1]->name), "strip");
  EXPECT_EQ(load.attributes[1]->integer, 1);
  EXPECT_EQ(load.results[0]->value->type->shape[0], 4);
  const lathe_op &matmul = *kernel.ops[2];
  EXPECT_EQ(textOf(matmul.operands[1]->name), "weight");
  EXPECT_EQ(matmul.operands[1]->value->type->element, LATHE_ELEMENT_BF16);
  ASSERT_EQ(kernel.result_count, 1u);
  EXPECT_EQ(kernel.results[0]->value, matmul.results[0]->value);
}

} // namespace
} // namespace lathe::plugin
