#include "backends/plugin/offers.h"

#include "absl/strings/str_cat.h"
#include "mlir/IR/OwningOpRef.h"

#include "backends/plugin/program_view.h"
#include "base/status.h"
#include "passes/cost/table.h"
#include "passes/partition/offers.h"
#include "passes/tiles/kernels.h"
#include "runtime/device/error.h"

namespace lathe::plugin {
namespace {

using passes::Offer;

lathe_error *refuseToRead(ir::WeightOp, bool, uint64_t, uint64_t, void *) {
  return runtime::giveError(
      absl::FailedPreconditionError("weights can be read when their op is compiled"));
}

absl::StatusOr<Offer> askAbout(mlir::Operation *op, const ProgramView &view, const Target &target,
                               int64_t rows, int64_t points = 0) {
  auto answer = ask(target, {view.op(op), rows, passes::cost::kExpectedContext, points});
  if (!answer.ok())
    return prefixed(answer.status(), absl::StrCat(target.name, ": asked about ",
                                                  op->getName().getStringRef().str(), ": "));
  return Offer{answer->takes(), answer->cost(), answer->why()};
}

// Both taken, or why one is not.
Offer both(Offer a, const Offer &b) {
  if (!a.takes || !b.takes)
    return a.takes ? b : a;
  a.seconds += b.seconds;
  if (a.why.empty())
    a.why = b.why;
  return a;
}

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t pointsOf(tile::LaunchOp launch, tile::Size size, int64_t rows) {
  llvm::ArrayRef<int64_t> shape = launch.getType().getShape();
  const int64_t all = mlir::ShapedType::isDynamic(shape[0]) ? rows : shape[0];
  return ceilDiv(all, size.rows) * ceilDiv(shape[1], size.columns);
}

absl::StatusOr<Offer> askAboutLaunch(tile::LaunchOp launch, const ProgramView &view,
                                     const Target &target, int64_t rows) {
  Offer all{true, 0, ""};
  LATHE_RETURN_IF_ERROR(
      forEachAsked(launch, rows, [&](mlir::Operation *op, int64_t points) -> absl::Status {
        LATHE_ASSIGN_OR_RETURN(Offer one, askAbout(op, view, target, rows, points));
        all = both(std::move(all), one);
        return absl::OkStatus();
      }));
  return all;
}

// An op of the model and the launches that it became in a copy of the module.
struct Lowered {
  mlir::Operation *op;
  int64_t rows;
  llvm::SmallVector<tile::LaunchOp> launches; // none: it has no form in tiles
};

std::vector<Lowered> lowerCopy(mlir::ModuleOp module, mlir::ModuleOp copy, tile::Size size) {
  std::vector<Lowered> all;
  mlir::IRRewriter rewriter(module.getContext());
  mlir::SymbolTable symbols(copy);
  const auto copies = passes::placeableOps(copy);
  for (auto [known, copied] : llvm::zip_equal(passes::placeableOps(module), copies)) {
    Lowered &lowered = all.emplace_back(Lowered{known.first, known.second, {}});
    if (passes::hasFormInTiles(copied.first))
      lowered.launches = passes::lowerToTiles(rewriter, symbols, copied.first, size);
  }
  return all;
}

absl::StatusOr<Offer> askAboutLowered(const Lowered &lowered, const ProgramView &view,
                                      const Target &target) {
  if (lowered.launches.empty())
    return Offer{false, 0, "unsupported_op: it has no form in tiles"};
  Offer all{true, 0, ""};
  for (tile::LaunchOp launch : lowered.launches) {
    LATHE_ASSIGN_OR_RETURN(Offer one, askAboutLaunch(launch, view, target, lowered.rows));
    all = both(std::move(all), one);
  }
  return all;
}

void noteTransfer(mlir::ModuleOp module, const Target &target) {
  passes::setTransfer(
      module, target.name,
      {target.transfer_bandwidth, target.transfer_seconds, target.takesSingleOps()});
}

} // namespace

absl::Status forEachAsked(tile::LaunchOp launch, int64_t rows,
                          llvm::function_ref<absl::Status(mlir::Operation *, int64_t points)> ask) {
  mlir::func::FuncOp kernel = tile::kernelOf(launch);
  const int64_t points = pointsOf(launch, *tile::sizeOf(kernel), rows);
  LATHE_RETURN_IF_ERROR(ask(launch, points));
  for (mlir::Operation &op : kernel.front().without_terminator())
    LATHE_RETURN_IF_ERROR(ask(&op, points));
  return absl::OkStatus();
}

absl::Status setOffers(mlir::ModuleOp module, const Target &target) {
  noteTransfer(module, target);
  ProgramView view(module, "", refuseToRead);
  for (auto [op, rows] : passes::placeableOps(module)) {
    LATHE_ASSIGN_OR_RETURN(Offer answer, askAbout(op, view, target, rows));
    passes::setOffer(op, target.name, answer);
  }
  return absl::OkStatus();
}

absl::Status setOffersOfTiles(mlir::ModuleOp module, const Target &target) {
  noteTransfer(module, target);
  module.getContext()->loadDialect<tile::TileDialect>();
  mlir::OwningOpRef<mlir::ModuleOp> copy(module.clone());
  const std::vector<Lowered> all =
      lowerCopy(module, *copy, {target.tile_rows, target.tile_columns});
  ProgramView view(*copy, "", refuseToRead);
  for (const Lowered &lowered : all) {
    LATHE_ASSIGN_OR_RETURN(Offer answer, askAboutLowered(lowered, view, target));
    passes::setOffer(lowered.op, target.name, answer);
  }
  return absl::OkStatus();
}

} // namespace lathe::plugin
