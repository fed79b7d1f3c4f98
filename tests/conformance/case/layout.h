// Types of weights by short names: "bf16", "f8e4m3_128x128", "i4_1x32_f16".
#pragma once

#include <string>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include "ir/lathe/dialect.h"

namespace lathe::conformance {

// An element type by its name: f32, bf16, f16, f8e4m3, f8e5m2, f8e8m0, i8, i4, i32.
mlir::Type elementNamed(mlir::MLIRContext *context, llvm::StringRef name);

// A float tensor where the layout is the name of an element; else quantised: CODES_RxC[_SCALES],
// where R and C are the extents of a block or "all", and SCALES are f32 unless it is said.
mlir::Type weightType(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> shape,
                      llvm::StringRef layout);

// What a checkpoint holds of a weight of this type: the type itself, or bf16 for codes of integers,
// which are made when a model is compiled.
mlir::Type storedType(mlir::Type type);

} // namespace lathe::conformance
