// Ops without code of their own: attention of several rows leaves rounded rows for the
// product behind it, if it can.
#include "backends/x86/folded_ops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/substitute.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include "backends/x86/annotate.h"
#include "ir/lathe/dialect.h"

namespace lathe::x86 {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class FoldedOps : public testing::Test {
protected:
  FoldedOps() { context_.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>(); }

  // The text of a step of `max_rows` in which `attention` leaves %a, of `columns`, and the cache
  // %u. A product takes %a rounded; `more` stands behind it.
  std::string annotated(int max_rows, const std::string &cache, int columns,
                        const std::string &attention, const std::string &more = "") {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(absl::Substitute(R"(
      func.func @prefill(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>, %c: $1) -> (tensor<?x8xf32>, $1) attributes {lathe.max_rows = $0 : i64} {
      $3
      %o = lathe.weight "o" from [#lathe.tensor_ref<"o">] : tensor<8x$2xf32>
      %r = lathe.cast %a : tensor<?x$2xf32> -> tensor<?x$2xbf16>
      %p = lathe.linear %r, %o : (tensor<?x$2xbf16>, tensor<8x$2xf32>) -> tensor<?x8xf32>
      $4
      return %p, %u : tensor<?x8xf32>, $1
      })",
                                                                           max_rows, cache, columns,
                                                                           attention, more),
                                                          &context_);
    EXPECT_TRUE(module && mlir::succeeded(mlir::verify(*module))) << attention;
    annotateForPlanning(*module->getOps<mlir::func::FuncOp>().begin());
    std::string text;
    llvm::raw_string_ostream(text) << *module;
    return text;
  }

  // Two heads with `value_dim` columns each.
  std::string latent(int max_rows, int value_dim, const std::string &more = "") {
    return annotated(max_rows, kLatents, 2 * value_dim,
                     absl::Substitute(R"(
      %e = lathe.weight "e" from [#lathe.tensor_ref<"e">] : tensor<9x16xf32>
      %b = lathe.weight "b" from [#lathe.tensor_ref<"b">] : tensor<$0x4xf32>
      %q = lathe.embedding %tokens, %e : (tensor<?xi32>, tensor<9x16xf32>) -> tensor<?x16xf32>
      %l = lathe.slice %q offset = 0 : tensor<?x16xf32> -> tensor<?x6xf32>
      %a, %u = lathe.mla_attention %q, %l, %slots, %positions, %c kv_b %b num_heads = 2 qk_nope_head_dim = 6 qk_rope_head_dim = 2 v_head_dim = $2 softmax_scale = 2.000000e-01 form = materialised : (tensor<?x16xf32>, tensor<?x6xf32>, tensor<?xi32>, tensor<?xi32>, $3, tensor<$0x4xf32>) -> (tensor<?x$1xf32>, $3)
      )",
                                      2 * (6 + value_dim), 2 * value_dim, value_dim, kLatents),
                     more);
  }

  // The text of a decode step of one row of 8 columns. There is %x, of which `ops` make %h, and a
  // product's weight %w. It returns a product of %h, or itself.
  std::string added(const std::string &ops, const std::string &returned = "%l : tensor<?x8xf32>") {
    auto module =
        mlir::parseSourceString<mlir::ModuleOp>(absl::Substitute(R"(
      func.func @decode(%tokens: tensor<1xi32>, %slots: tensor<1xi32>, %positions: tensor<1xi32>, %output_rows: tensor<?xi32>) -> $2 attributes {lathe.max_rows = 1 : i64} {
      %e = lathe.weight "e" from [#lathe.tensor_ref<"e">] : tensor<9x8xf32>
      %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<8x8xf32>
      %x = lathe.embedding %tokens, %e : (tensor<1xi32>, tensor<9x8xf32>) -> tensor<1x8xf32>
      $0
      %o = lathe.select_rows %h, %output_rows : (tensor<1x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
      %l = lathe.linear %o, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
      return $1
      })",
                                                                 ops, returned, returned.substr(5)),
                                                &context_);
    EXPECT_TRUE(module && mlir::succeeded(mlir::verify(*module))) << ops;
    annotateForPlanning(*module->getOps<mlir::func::FuncOp>().begin());
    EXPECT_TRUE(mlir::succeeded(mlir::verify(*module))) << ops;
    std::string text;
    llvm::raw_string_ostream(text) << *module;
    return text;
  }

  static std::string product(const std::string &name) {
    return absl::Substitute("%$0 = lathe.linear %x, %w : (tensor<1x8xf32>, tensor<8x8xf32>) -> "
                            "tensor<1x8xf32>\n",
                            name);
  }
  static std::string sum(const std::string &name, const std::string &a, const std::string &b) {
    return absl::Substitute("%$0 = lathe.add %$1, %$2 : tensor<1x8xf32>\n", name, a, b);
  }

  inline static const std::string kLatents = "!lathe.latent_cache<slots = 1, max_context = 9, "
                                             "kv_lora_rank = 4, rope_dim = 2, element = f32>";
  mlir::MLIRContext context_;
};

constexpr const char *kMadeWhereItIs = "view_of = 0";

TEST_F(FoldedOps, latentAttentionRoundsWhatItLeavesForAProduct) {
  EXPECT_THAT(latent(64, 16), HasSubstr(kMadeWhereItIs));
  EXPECT_THAT(latent(64, 48), HasSubstr(kMadeWhereItIs));
}

TEST_F(FoldedOps, aDecodeStepKeepsTheCast) {
  EXPECT_THAT(latent(1, 16), Not(HasSubstr(kMadeWhereItIs)));
}

TEST_F(FoldedOps, headsThatBeginBetweenVectorsKeepTheCast) {
  EXPECT_THAT(latent(64, 24), Not(HasSubstr(kMadeWhereItIs)));
}

TEST_F(FoldedOps, rowsThatAnotherOpReadsKeepTheCast) {
  EXPECT_THAT(latent(64, 16, "%n = lathe.scale %a by 2.000000e+00 : tensor<?x32xf32>"),
              Not(HasSubstr(kMadeWhereItIs)));
}

TEST_F(FoldedOps, sumsOfLatentsKeepTheCast) {
  const std::string cache = "!lathe.latent_cache<slots = 1, max_context = 9, kv_lora_rank = 16, "
                            "rope_dim = 2, element = f32>";
  EXPECT_THAT(annotated(64, cache, 32,
                        absl::Substitute(R"(
      %e = lathe.weight "e" from [#lathe.tensor_ref<"e">] : tensor<9x36xf32>
      %q = lathe.embedding %tokens, %e : (tensor<?xi32>, tensor<9x36xf32>) -> tensor<?x36xf32>
      %l = lathe.slice %q offset = 0 : tensor<?x36xf32> -> tensor<?x18xf32>
      %a, %u = lathe.mla_attention %q, %l, %slots, %positions, %c num_heads = 2 qk_nope_head_dim = 6 qk_rope_head_dim = 2 v_head_dim = 16 softmax_scale = 2.000000e-01 form = absorbed : (tensor<?x36xf32>, tensor<?x18xf32>, tensor<?xi32>, tensor<?xi32>, $0) -> (tensor<?x32xf32>, $0)
      )",
                                         cache)),
              Not(HasSubstr(kMadeWhereItIs)));
}

// Few rows in steps need more than in f32, and the cache needs what it needed.
TEST_F(FoldedOps, roundedRowsOfFewRowsSayWhatTheyNeed) {
  EXPECT_THAT(latent(2, 16), HasSubstr("result_bytes = array<i64: 1152, -1>"));
}

TEST_F(FoldedOps, groupedAttentionRoundsWhatItLeavesForAProduct) {
  const std::string cache = "!lathe.kv_cache<slots = 1, max_context = 9, kv_heads = 1, key_dim = "
                            "8, value_dim = 16, element = f32>";
  EXPECT_THAT(annotated(64, cache, 32,
                        absl::Substitute(R"(
      %e = lathe.weight "e" from [#lathe.tensor_ref<"e">] : tensor<9x16xf32>
      %q = lathe.embedding %tokens, %e : (tensor<?xi32>, tensor<9x16xf32>) -> tensor<?x16xf32>
      %k = lathe.slice %q offset = 0 : tensor<?x16xf32> -> tensor<?x8xf32>
      %a, %u = lathe.attention %q, %k, %q, %slots, %positions, %c num_heads = 2 softmax_scale = 2.000000e-01 : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x16xf32>, tensor<?xi32>, tensor<?xi32>, $0) -> (tensor<?x32xf32>, $0)
      )",
                                         cache)),
              HasSubstr(kMadeWhereItIs));
}

// The text has additions made where their second operand is: that many.
int64_t addedWhereMadeIn(const std::string &text) {
  int64_t count = 0;
  const std::string made = "{view_of = 1 : i64}";
  for (size_t at = text.find(made); at != std::string::npos; at = text.find(made, at + 1))
    ++count;
  return count;
}

TEST_F(FoldedOps, twoProductsAddInTurns) {
  for (const std::string &inner : {sum("s", "a", "b"), sum("s", "b", "a")})
    for (const std::string &outer : {sum("h", "x", "s"), sum("h", "s", "x")}) {
      const std::string text = added(product("a") + product("b") + inner + outer);
      EXPECT_EQ(addedWhereMadeIn(text), 2) << text;
      EXPECT_THAT(text, ContainsRegex("lathe.linear(.|\n)*lathe.add(.|\n)*lathe.linear(.|\n)*"
                                      "lathe.add(.|\n)*select_rows"));
    }
}

TEST_F(FoldedOps, sumsThatAnotherOpReadsStay) {
  EXPECT_EQ(addedWhereMadeIn(added(product("a") + product("b") + sum("s", "a", "b") +
                                   sum("t", "x", "s") + sum("h", "t", "s"))),
            1);
}

TEST_F(FoldedOps, whatIsMadeBehindTheFirstProductIsNotAddedToIt) {
  EXPECT_EQ(addedWhereMadeIn(added(product("a") +
                                   "%n = lathe.scale %x by 2.000000e+00 : tensor<1x8xf32>\n" +
                                   product("b") + sum("s", "a", "b") + sum("h", "n", "s"))),
            1);
}

std::string rotation(const std::string &input) {
  return absl::Substitute(R"(
      %t = lathe.rope_table %positions frequencies = [1.000000e+00] magnitude = 1.000000e+00 : tensor<1xi32> -> tensor<1x2xf32>
      %h = lathe.rope %$0, %t head_dim = 8 offset = 6 layout = pairs : tensor<1x8xf32>, tensor<1x2xf32>)",
                          input);
}

TEST_F(FoldedOps, aRotationTurnsItsOperand) {
  EXPECT_THAT(added(product("a") + rotation("a")), HasSubstr(kMadeWhereItIs));
}

TEST_F(FoldedOps, aRotationOfWhatAnotherOpReadsIsAnotherValue) {
  EXPECT_THAT(added(product("a") + rotation("x")), Not(HasSubstr(kMadeWhereItIs)));
}

TEST_F(FoldedOps, aRotationOfAPieceIsAnotherValue) {
  EXPECT_THAT(added("%a = lathe.slice %x offset = 0 : tensor<1x8xf32> -> tensor<1x8xf32>\n" +
                    rotation("a")),
              Not(HasSubstr(kMadeWhereItIs)));
}

TEST_F(FoldedOps, whatIsReturnedHasAPlaceOfItsOwn) {
  for (const std::string &made : {rotation("a"), sum("h", "x", "a")}) {
    EXPECT_THAT(added(product("a") + made), HasSubstr("view_of"));
    EXPECT_THAT(added(product("a") + made, "%h : tensor<1x8xf32>"), Not(HasSubstr("view_of")));
  }
}

TEST_F(FoldedOps, aSumWithSomethingThatIsNoProductStays) {
  EXPECT_EQ(addedWhereMadeIn(added(product("a") +
                                   "%n = lathe.scale %x by 2.000000e+00 : tensor<1x8xf32>\n" +
                                   sum("s", "a", "n") + sum("h", "x", "s"))),
            0);
}

} // namespace
} // namespace lathe::x86
