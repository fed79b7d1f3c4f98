// What a recipe writes the ops of one function with.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include "tests/conformance/case/layout.h"
#include "tests/conformance/case/program.h"

namespace lathe::conformance {

class Body {
public:
  Body(Program &program, const Step &step);

  // Inputs. Tokens are of a vocabulary of `vocab`; output rows are the last ones.
  mlir::Value tokens(int64_t vocab);
  mlir::Value slots();
  mlir::Value positions();
  mlir::Value outputRows();
  // f32 [T * factor, columns].
  mlir::Value rows(const std::string &name, int64_t columns, Fill fill = uniform(),
                   int64_t factor = 1);
  // i32 [T * factor], or [T * factor, columns].
  mlir::Value indices(const std::string &name, int64_t columns, IndexFill fill, int64_t factor = 1);
  // i32 [count], whatever T is; may look at the step's rows.
  mlir::Value table(const std::string &name, int64_t count,
                    std::function<int32_t(int64_t rows, int64_t i)> fill);

  // Weights: see layout.h. Without a fill vectors are near 1 and matrices keep the size of rows.
  mlir::Value weight(const std::string &name, llvm::ArrayRef<int64_t> shape, llvm::StringRef layout,
                     Fill fill = {});
  // Codes as they are, and the scale of every block.
  mlir::Value codes(const std::string &name, llvm::ArrayRef<int64_t> shape, llvm::StringRef layout,
                    Fill code, Fill scale);
  // A stack of experts [E, rows, columns]; `separate`: a tensor of the checkpoint for each.
  mlir::Value stack(const std::string &name, llvm::ArrayRef<int64_t> shape, llvm::StringRef layout,
                    bool separate);
  // Rows [begin, begin + shape[0]) of a tensor of `rows` rows, whose layout is `stored`.
  mlir::Value cut(const std::string &name, llvm::ArrayRef<int64_t> shape, llvm::StringRef layout,
                  llvm::StringRef stored, int64_t begin, int64_t rows);
  // W with x W^T = x, as codes whose scales are 1.
  mlir::Value identity(int64_t columns);

  mlir::Value kvCache(int64_t context, int64_t kv_heads, int64_t key_dim, int64_t value_dim,
                      llvm::StringRef element = "f32");
  mlir::Value latentCache(int64_t context, int64_t kv_lora_rank, int64_t rope_dim,
                          llvm::StringRef element = "f32");

  // An op.
  template <typename Op, typename... Arguments> Op create(Arguments &&...arguments) {
    return Op::create(builder_, builder_.getUnknownLoc(), std::forward<Arguments>(arguments)...);
  }

  // Rows as bf16.
  mlir::Value rounded(mlir::Value rows);

  // Types of rows: T * factor of them.
  mlir::RankedTensorType rowsType(int64_t columns, llvm::StringRef element = "f32",
                                  int64_t factor = 1);
  mlir::RankedTensorType indicesType(int64_t columns, int64_t factor = 1); // columns 0: rank 1
  ir::QuantizedType codesType(int64_t columns, int64_t block, llvm::StringRef scale = "f32",
                              llvm::StringRef codes = "f8e4m3");
  mlir::Builder &builder() { return builder_; }
  mlir::FloatAttr f32(double value) { return builder_.getF32FloatAttr(static_cast<float>(value)); }

  // Ends the function with these, in the order of the calls. `has_constant_rows`: as many whatever
  // T is.
  void result(mlir::Value value, const Measure &measure, bool has_constant_rows = false);
  void giveCache(mlir::Value updated) { caches_.push_back(updated); }
  void finish();

private:
  bool isFirst() const { return is_first_; } // function of the program: it says what there is
  int64_t rowsExtent(int64_t factor) const;
  mlir::Value argument(const std::string &name, mlir::Type type, bool is_output_rows,
                       int64_t factor, std::function<reference::Value(size_t)> value);
  mlir::Value lookUp(const std::string &name, int64_t columns, const Fill &fill);
  mlir::Value cache(mlir::Type type);
  mlir::Value weightOp(const std::string &name, llvm::ArrayRef<std::string> sources,
                       mlir::Type type, mlir::Type stored, mlir::DenseI64ArrayAttr rows = {});
  void store(const std::string &leaf, mlir::Type type, const Fill &fill);
  void keep(const std::string &leaf, mlir::Type element, llvm::ArrayRef<int64_t> shape, Fill fill);
  void storeCodes(const std::string &leaf, ir::QuantizedType type, const Fill &code,
                  const Fill &scale);
  Result describe(mlir::Value value, const Measure &measure, bool has_constant_rows);
  mlir::Value joinedResults();

  Program &program_;
  Step step_;
  bool is_first_;
  mlir::OpBuilder builder_;
  mlir::func::FuncOp function_;
  llvm::StringMap<mlir::Value> known_;
  std::vector<mlir::Value> results_, caches_;
  int64_t cache_count_ = 0;
};

} // namespace lathe::conformance
