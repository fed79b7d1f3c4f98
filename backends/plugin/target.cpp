#include "backends/plugin/target.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "runtime/device/error.h"

namespace lathe::plugin {

static std::string reasonName(uint32_t reason) {
  switch (reason) {
  case LATHE_REASON_UNSUPPORTED_OP: return "unsupported_op";
  case LATHE_REASON_UNSUPPORTED_TYPE: return "unsupported_type";
  case LATHE_REASON_SHAPE_LIMIT: return "shape_limit";
  case LATHE_REASON_NOT_WORTH_IT: return "not_worth_it";
  default: return reason >= LATHE_REASON_VENDOR ? absl::StrCat("vendor_", reason) : "no_reason";
  }
}

absl::StatusOr<Answer> ask(const Target &target, const lathe_op &op, int64_t rows, int64_t keys) {
  std::array<char, 1024> room = {};
  lathe_support_args args = {};
  args.struct_size = sizeof args;
  args.target = target.handle;
  args.op = &op;
  args.rows = rows;
  args.keys = keys;
  args.text = {room.data(), room.size(), 0};
  LATHE_RETURN_IF_ERROR(runtime::takeError(target.api->supports(&args)));
  const std::string text = runtime::fromAbi({room.data(), std::min(args.text.size, room.size())});
  const bool takes = args.verdict == LATHE_SUPPORT_YES || args.verdict == LATHE_SUPPORT_CONVERTED;
  if (!takes)
    return Answer{false, 0, absl::StrCat(reasonName(args.reason), text.empty() ? "" : ": ", text)};
  const double seconds = std::isfinite(args.seconds) ? std::max(args.seconds, 0.0) : 0;
  if (args.verdict == LATHE_SUPPORT_YES)
    return Answer{true, seconds, ""};
  return Answer{true, seconds, absl::StrCat("converted", text.empty() ? "" : ": ", text)};
}

} // namespace lathe::plugin
