#include "backends/plugin/target.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "runtime/device/error.h"

namespace lathe::plugin {

bool isReason(uint32_t reason) {
  return (reason >= LATHE_REASON_UNSUPPORTED_OP && reason <= LATHE_REASON_NOT_WORTH_IT) ||
         reason >= LATHE_REASON_VENDOR;
}

static std::string reasonName(uint32_t reason) {
  switch (reason) {
  case LATHE_REASON_UNSUPPORTED_OP: return "unsupported_op";
  case LATHE_REASON_UNSUPPORTED_TYPE: return "unsupported_type";
  case LATHE_REASON_SHAPE_LIMIT: return "shape_limit";
  case LATHE_REASON_NOT_WORTH_IT: return "not_worth_it";
  default: return isReason(reason) ? absl::StrCat("vendor_", reason) : "no_reason";
  }
}

std::string elementName(uint32_t element) {
  static constexpr std::array<const char *, 10> kNames = {"",   "f32", "f16",  "bf16", "i32",
                                                          "i8", "i4",  "e4m3", "e5m2", "e8m0"};
  return element < kNames.size() ? kNames[element] : "";
}

double Answer::cost() const {
  return takes() && std::isfinite(seconds) ? std::max(seconds, 0.0) : 0;
}

std::string Answer::why() const {
  if (verdict == LATHE_SUPPORT_YES)
    return "";
  const bool is_no = verdict != LATHE_SUPPORT_CONVERTED;
  const std::string element = is_no ? "" : elementName(converted_to);
  return absl::StrCat(is_no ? reasonName(reason) : "converted", element.empty() ? "" : " to ",
                      element, text.empty() ? "" : ": ", text);
}

absl::StatusOr<Answer> ask(const Target &target, const Question &question) {
  std::array<char, 1024> room = {};
  lathe_support_args args = {};
  args.struct_size = sizeof args;
  args.target = target.handle;
  args.op = question.op;
  args.rows = question.rows;
  args.keys = question.keys;
  args.points = question.points;
  args.text = {room.data(), room.size(), 0};
  LATHE_RETURN_IF_ERROR(runtime::takeError(target.api->supports(&args)));
  return Answer{args.verdict, args.reason, args.seconds,
                runtime::fromAbi({room.data(), std::min(args.text.size, room.size())}),
                args.converted_to};
}

} // namespace lathe::plugin
