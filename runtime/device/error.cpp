#include "runtime/device/error.h"

namespace lathe::runtime {
namespace {

struct OwnedError : lathe_error {
  std::string text;
};

void releaseError(lathe_error *error) { delete static_cast<OwnedError *>(error); }

} // namespace

absl::Status takeError(lathe_error *error) {
  if (!error)
    return absl::OkStatus();
  bool known = error->code > 0 && error->code <= 16;
  absl::Status status(known ? static_cast<absl::StatusCode>(error->code)
                            : absl::StatusCode::kInternal,
                      fromAbi(error->message));
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
