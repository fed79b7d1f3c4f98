// What targets offer for an op, as attributes that backends write and placement reads:
//
//   on an op      lathe.offers = {"x86" = 1.0e-6 : f64,                             seconds
//                                 "npu:a" = [1.0e-6 : f64, "converted: to f16"],    and at what
//                                 price "npu:tiny" = "unsupported_type: bf16 rows"}       why not
//   on the module lathe.home = "x86"                     where ops are unless they are placed
//                 lathe.transfers = [["npu:tiny", 1.0e9 : f64, 1.0e-5 : f64]]
//                                                      bytes/s between it and home; seconds of
//                                                      each; "each_op" where each op goes alone
//   afterwards    lathe.place = "npu:tiny", lathe.part = 0 : i64 on an op that is not at home
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

namespace lathe::passes {

inline constexpr llvm::StringLiteral kOffers = "lathe.offers", kHome = "lathe.home",
                                     kTransfers = "lathe.transfers", kPlace = "lathe.place",
                                     kPart = "lathe.part";

struct Offer {
  bool takes = false;
  double seconds = 0; // 0 where unknown
  std::string why; // of a refusal: "REASON: text"; of one that takes it: what is rounded, or empty
};

// What targets are asked about, with the rows of its step: all ops but weights, which go where they
// are used, and slices, which are views.
llvm::SmallVector<std::pair<mlir::Operation *, int64_t>> placeableOps(mlir::ModuleOp module);

// Adds to what is there.
void setOffer(mlir::Operation *op, llvm::StringRef target, const Offer &offer);
// None where nobody asked the target.
std::optional<Offer> offerOf(mlir::Operation *op, llvm::StringRef target);

struct Transfer {
  double bandwidth = 0, seconds = 0; // bandwidth 0: bytes cost nothing
  bool each_op = false; // a part is a single op, whose rows come from home and go back there
};
void setTransfer(mlir::ModuleOp module, llvm::StringRef target, const Transfer &transfer);
// In the order in which they were set.
llvm::SmallVector<std::pair<std::string, Transfer>> transfersOf(mlir::ModuleOp module);

std::string homeOf(mlir::ModuleOp module);                 // empty where none is set
std::vector<std::string> targetsOf(mlir::ModuleOp module); // home, then the others in their order
// Empty: at home.
llvm::StringRef placeOf(mlir::Operation *op);
// -1: at home.
int64_t partOf(mlir::Operation *op);

} // namespace lathe::passes
