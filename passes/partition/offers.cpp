#include "passes/partition/offers.h"

#include "mlir/IR/Builders.h"

#include "ir/lathe/dialect.h"
#include "passes/step.h"

namespace lathe::passes {

namespace {
constexpr llvm::StringLiteral kEachOp = "each_op";
} // namespace

using mlir::ArrayAttr;
using mlir::DictionaryAttr;

llvm::SmallVector<std::pair<mlir::Operation *, int64_t>> placeableOps(mlir::ModuleOp module) {
  llvm::SmallVector<std::pair<mlir::Operation *, int64_t>> ops;
  for (auto step : module.getOps<mlir::func::FuncOp>())
    for (mlir::Operation &op : step.getBody().front().without_terminator())
      if (!mlir::isa<ir::WeightOp, ir::SliceOp>(op))
        ops.emplace_back(&op, maxRows(step));
  return ops;
}

void setOffer(mlir::Operation *op, llvm::StringRef target, const Offer &offer) {
  mlir::Builder builder(op->getContext());
  mlir::NamedAttrList offers;
  if (auto known = op->getAttrOfType<DictionaryAttr>(kOffers))
    offers = mlir::NamedAttrList(known);
  if (offer.takes && !offer.why.empty())
    offers.set(target, builder.getArrayAttr({builder.getF64FloatAttr(offer.seconds),
                                             builder.getStringAttr(offer.why)}));
  else if (offer.takes)
    offers.set(target, builder.getF64FloatAttr(offer.seconds));
  else
    offers.set(target, builder.getStringAttr(offer.why));
  op->setAttr(kOffers, offers.getDictionary(op->getContext()));
}

std::optional<Offer> offerOf(mlir::Operation *op, llvm::StringRef target) {
  auto offers = op->getAttrOfType<DictionaryAttr>(kOffers);
  mlir::Attribute offer = offers ? offers.get(target) : nullptr;
  if (auto seconds = mlir::dyn_cast_if_present<mlir::FloatAttr>(offer))
    return Offer{true, seconds.getValueAsDouble(), ""};
  if (auto converted = mlir::dyn_cast_if_present<ArrayAttr>(offer))
    return Offer{true, mlir::cast<mlir::FloatAttr>(converted[0]).getValueAsDouble(),
                 mlir::cast<mlir::StringAttr>(converted[1]).str()};
  if (auto why = mlir::dyn_cast_if_present<mlir::StringAttr>(offer))
    return Offer{false, 0, why.str()};
  return std::nullopt;
}

// An array, because targets have an order and dictionaries have none.
void setTransfer(mlir::ModuleOp module, llvm::StringRef target, const Transfer &transfer) {
  mlir::Builder builder(module.getContext());
  llvm::SmallVector<mlir::Attribute> transfers;
  if (auto known = module->getAttrOfType<ArrayAttr>(kTransfers))
    transfers.assign(known.begin(), known.end());
  llvm::SmallVector<mlir::Attribute> entry = {builder.getStringAttr(target),
                                              builder.getF64FloatAttr(transfer.bandwidth),
                                              builder.getF64FloatAttr(transfer.seconds)};
  if (transfer.each_op)
    entry.push_back(builder.getStringAttr(kEachOp));
  transfers.push_back(builder.getArrayAttr(entry));
  module->setAttr(kTransfers, builder.getArrayAttr(transfers));
}

llvm::SmallVector<std::pair<std::string, Transfer>> transfersOf(mlir::ModuleOp module) {
  llvm::SmallVector<std::pair<std::string, Transfer>> transfers;
  auto known = module->getAttrOfType<ArrayAttr>(kTransfers);
  if (!known)
    return transfers;
  const auto eachOp = mlir::StringAttr::get(module.getContext(), kEachOp);
  for (auto entry : known.getAsRange<ArrayAttr>()) {
    auto target = entry.size() >= 3 ? mlir::dyn_cast<mlir::StringAttr>(entry[0]) : nullptr;
    auto bandwidth = target ? mlir::dyn_cast<mlir::FloatAttr>(entry[1]) : nullptr;
    auto seconds = target ? mlir::dyn_cast<mlir::FloatAttr>(entry[2]) : nullptr;
    if (bandwidth && seconds)
      transfers.emplace_back(target.str(),
                             Transfer{bandwidth.getValueAsDouble(), seconds.getValueAsDouble(),
                                      entry.size() > 3 && entry[3] == eachOp});
  }
  return transfers;
}

std::string homeOf(mlir::ModuleOp module) {
  auto home = module->getAttrOfType<mlir::StringAttr>(kHome);
  return home ? home.str() : "";
}

std::vector<std::string> targetsOf(mlir::ModuleOp module) {
  std::vector<std::string> targets = {homeOf(module)};
  for (const auto &[target, transfer] : transfersOf(module))
    targets.push_back(target);
  return targets;
}

llvm::StringRef placeOf(mlir::Operation *op) {
  auto place = op->getAttrOfType<mlir::StringAttr>(kPlace);
  return place ? place.getValue() : "";
}

int64_t partOf(mlir::Operation *op) {
  auto part = op->getAttrOfType<mlir::IntegerAttr>(kPart);
  return part ? part.getInt() : -1;
}

} // namespace lathe::passes
