#include "runtime/device/error.h"

namespace lathe::runtime {
namespace {

struct OwnedError : lathe_error {
  std::string text;
};

void releaseError(lathe_error *error) { delete static_cast<OwnedError *>(error); }

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

absl::Status takeError(lathe_error *error) {
  if (!error)
    return absl::OkStatus();
  bool has_text = LATHE_HAS_FIELD(lathe_error, error, message);
  absl::Status status(codeOf(*error), has_text ? fromAbi(error->message) : "");
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
