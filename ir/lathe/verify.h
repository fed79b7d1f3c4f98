// What verifiers of several groups ask. An extent may be dynamic; it then agrees with any other.
#pragma once

#include <cstdint>

#include "ir/lathe/dialect.h"

namespace lathe::ir {

inline int64_t rowsOf(mlir::Type type) { return shapeOf(type).front(); }
inline int64_t columnsOf(mlir::Type type) { return shapeOf(type).back(); }
inline int64_t rowsOf(mlir::Value value) { return rowsOf(value.getType()); }
inline int64_t columnsOf(mlir::Value value) { return columnsOf(value.getType()); }

bool agree(int64_t a, int64_t b);
bool agree(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

// `factor` * rows, dynamic if rows are.
int64_t timesRows(int64_t rows, int64_t factor);

// An extent, or a shape, as a message shows it: 64, ?, [?, 64].
std::string extentText(int64_t extent);
std::string shapeText(llvm::ArrayRef<int64_t> shape);

// Emits "NAME has N UNIT; it should have M, as REASON" at `op`.
mlir::InFlightDiagnostic wrongCount(mlir::Operation *op, llvm::StringRef name, int64_t count,
                                    llvm::StringRef unit, int64_t wanted, llvm::StringRef reason);

// Fails, with an error at `op`, where two of the values have numbers of rows that disagree.
llvm::LogicalResult verifySameRows(mlir::Operation *op, llvm::ArrayRef<mlir::Value> values);

// Columns of a block of `type`, at most the columns that there are.
int64_t blockColumnsWithin(QuantizedType type);

// True if blocks of one and of the other are, along the columns, one a multiple of the other.
bool blocksNest(int64_t a, int64_t b);

// Columns that share a scale where rows become codes in the form `activations`; 0 where they stay
// floats.
int64_t blockColumnsOf(Activations activations);

} // namespace lathe::ir
