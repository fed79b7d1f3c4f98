// What computing costs on the targets: measured numbers that a backend brings, as the attribute
// `lathe.costs` of the module. Passes know neither the backend nor the machine, only these.
//
//   lathe.costs = {"x86-amx" = {
//     read_bandwidth = 3.0e10,          bytes/s, all threads
//     cache_bytes = 4.0e6,              that threads do not share
//     region_seconds = 1.0e-6,          of a barrier
//     one_row = {bf16 = 1.5e10, ...},   codes/s of products of one row, by the form of weights
//     many_rows = {rows = [4.0, 512.0], FLOP/s of products at so many rows, by the form of weights
//                  bf16 = {f32 = [1.0e11, 5.0e11], ...}},          and of rows, weights in memory
//     attention = {latent_one_row, latent_absorbed, latent_expand, latent_scores, grouped},  FLOP/s
//     latent_expansion_rows = 256.0}}   rows that share one expansion of the keys
#pragma once

#include <optional>
#include <string>

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"

namespace lathe::passes::cost {

inline constexpr llvm::StringLiteral kCosts = "lathe.costs";

// tokens that a row is expected to see: a conversation of some turns. A choice that depends on it
// changes its mind slowly (latent attention by FLOPs: between 157 and 171 rows from here to
// infinity).
inline constexpr int64_t kExpectedContext = 2048;

// rows that a prefill step takes where no target says what they cost.
inline constexpr int64_t kPrefillChunk = 256;

double elementBytes(mlir::Type element); // half a byte of 4 bits

// The part of a product's cost that depends on the weight.
struct WeightCost {
  std::string form; // "e4m3": its codes
  double codes = 0; // n * k
  double bytes = 0; // with scales

  bool operator==(const WeightCost &) const = default;
};
// Of the type of a matrix or a stack of matrices; a stack counts with all of its matrices.
WeightCost weightCost(mlir::Type weight);

class Table {
public:
  // Keeps the attribute, which must have read_bandwidth; what else is missing makes what needs it
  // cost nothing.
  Table(std::string target, mlir::DictionaryAttr numbers);

  const std::string &target() const { return target_; }
  double number(llvm::StringRef name) const; // 0 where there is none
  double attentionRate(llvm::StringRef name) const;

  double readSeconds(double bytes) const { return bytes / number("read_bandwidth"); }
  // Of `rows` rows, in the form `row_form` (f32, bf16, w8a8), with a weight that comes from memory.
  // Rows of fractions are means.
  double productSeconds(const WeightCost &weight, llvm::StringRef row_form, double rows) const;

private:
  double secondsOfCode(const WeightCost &weight, llvm::StringRef row_form, double rows) const;

  std::string target_;
  mlir::DictionaryAttr numbers_;
};

// Those of the module; none where no backend has set any. An attribute of another form is an error.
mlir::FailureOr<llvm::SmallVector<Table>> tablesOf(mlir::ModuleOp module);

// Where targets disagree one choice serves all. Of each alternative the worst ratio, over the
// targets, of its time to the target's best; seconds[target][alternative].
llvm::SmallVector<double> worstRatios(llvm::ArrayRef<llvm::SmallVector<double>> seconds);
// The place of the alternative whose worst ratio is the least, the first of equals.
size_t leastRegret(llvm::ArrayRef<llvm::SmallVector<double>> seconds);

// "x86-amx 1.2 ms, x86-64-v3 4 ms"; "1.2 ms" for a single target.
std::string timesText(llvm::ArrayRef<Table> tables, llvm::ArrayRef<double> seconds);

} // namespace lathe::passes::cost
