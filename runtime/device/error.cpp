#include "runtime/device/error.h"

#include <algorithm>

namespace lathe::runtime {
namespace {

struct OwnedError : lathe_error {
  std::string text;
};

void releaseError(lathe_error *error) { delete static_cast<OwnedError *>(error); }

// Bytes of the character that `text` begins with; 0 where it begins with none. As Unicode's table
// 3-7 has them.
size_t characterBytes(absl::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u; };
  const auto follows = [&](size_t i, unsigned least = 0x80, unsigned most = 0xbf) {
    return at(i) >= least && at(i) <= most;
  };
  const unsigned first = at(0);
  if (first < 0x80)
    return first >= 0x20 && first != 0x7f ? 1 : first == '\n' || first == '\t';
  if (first >= 0xc2 && first <= 0xdf)
    return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef)
    return follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && follows(2) ? 3
                                                                                              : 0;
  if (first >= 0xf0 && first <= 0xf4)
    return follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && follows(2) &&
                   follows(3)
               ? 4
               : 0;
  return 0;
}

// A code of no meaning at this border, such as CANCELLED, must not get one in the runtime.
absl::StatusCode codeOf(const lathe_error &error) {
  if (!LATHE_HAS_FIELD(lathe_error, &error, code))
    return absl::StatusCode::kInternal;
  switch (error.code) {
  case LATHE_ERROR_INVALID_ARGUMENT:
  case LATHE_ERROR_NOT_FOUND:
  case LATHE_ERROR_RESOURCE_EXHAUSTED:
  case LATHE_ERROR_FAILED_PRECONDITION:
  case LATHE_ERROR_UNIMPLEMENTED:
  case LATHE_ERROR_UNAVAILABLE:
  case LATHE_ERROR_DATA_LOSS: return static_cast<absl::StatusCode>(error.code);
  default: return absl::StatusCode::kInternal;
  }
}

} // namespace

std::string fromAbi(const lathe_string &text) {
  constexpr size_t kLimit = 65536;
  if (!text.data)
    return "";
  std::string clean(text.data, std::min(text.size, kLimit));
  for (size_t i = 0; i < clean.size();) {
    const size_t bytes = characterBytes(absl::string_view(clean).substr(i));
    if (bytes == 0)
      clean[i] = '?';
    i += std::max<size_t>(bytes, 1);
  }
  return clean;
}

absl::Status takeError(lathe_error *error) {
  if (!error)
    return absl::OkStatus();
  constexpr size_t kMessage = 4096; // of a longer one the begin has to do
  lathe_string message = {};
  if (LATHE_HAS_FIELD(lathe_error, error, message))
    message = {error->message.data, std::min(error->message.size, kMessage)};
  absl::Status status(codeOf(*error), fromAbi(message));
  if (LATHE_HAS_FIELD(lathe_error, error, release) && error->release)
    error->release(error);
  return status;
}

lathe_error *giveError(const absl::Status &status) {
  if (status.ok())
    return nullptr;
  auto *error = new OwnedError();
  error->text = std::string(status.message());
  error->struct_size = sizeof(lathe_error);
  error->code = static_cast<uint32_t>(status.code());
  error->reserved = 0;
  error->message = toAbi(error->text);
  error->release = releaseError;
  return error;
}

} // namespace lathe::runtime
