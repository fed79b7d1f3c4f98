#include "backends/plugin/offers.h"

#include <array>
#include <cmath>

#include "base/status.h"
#include "passes/cost/table.h"
#include "passes/partition/offers.h"
#include "runtime/device/error.h"

namespace lathe::plugin {
namespace {

std::string reasonName(uint32_t reason) {
  switch (reason) {
  case LATHE_REASON_UNSUPPORTED_OP: return "unsupported_op";
  case LATHE_REASON_UNSUPPORTED_TYPE: return "unsupported_type";
  case LATHE_REASON_SHAPE_LIMIT: return "shape_limit";
  case LATHE_REASON_NOT_WORTH_IT: return "not_worth_it";
  default: return reason >= LATHE_REASON_VENDOR ? absl::StrCat("vendor_", reason) : "no_reason";
  }
}

absl::StatusOr<passes::Offer> ask(const Target &target, const lathe_op *op, int64_t rows) {
  std::array<char, 1024> text = {};
  lathe_support_args args = {};
  args.struct_size = sizeof args;
  args.target = target.handle;
  args.op = op;
  args.rows = rows;
  args.keys = passes::cost::kExpectedContext;
  args.text = {text.data(), text.size(), 0};
  LATHE_RETURN_IF_ERROR(runtime::takeError(target.api->supports(&args)));
  std::string why(text.data(), std::min(args.text.size, text.size()));
  const double seconds = std::isfinite(args.seconds) ? std::max(args.seconds, 0.0) : 0;
  if (args.verdict == LATHE_SUPPORT_YES)
    return passes::Offer{true, seconds, ""};
  if (args.verdict == LATHE_SUPPORT_CONVERTED)
    return passes::Offer{true, seconds, absl::StrCat("converted", why.empty() ? "" : ": ", why)};
  return passes::Offer{false, 0,
                       absl::StrCat(reasonName(args.reason), why.empty() ? "" : ": ", why)};
}

} // namespace

absl::Status setOffers(mlir::ModuleOp module, const ProgramView &view, const Target &target) {
  passes::setTransfer(module, target.name, {target.transfer_bandwidth, target.transfer_seconds});
  for (auto [op, rows] : passes::placeableOps(module)) {
    auto offer = ask(target, view.op(op), rows);
    if (!offer.ok())
      return prefixed(offer.status(), absl::StrCat(target.name, ": asked about ",
                                                   op->getName().getStringRef().str(), ": "));
    passes::setOffer(op, target.name, *offer);
  }
  return absl::OkStatus();
}

} // namespace lathe::plugin
