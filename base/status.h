// How functions outside the compiler's MLIR layers report failure: absl::Status with a message that
// says where, what it is, what it should be. Each caller adds what only it knows.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace lathe {

// The same status with `text` in front of the message.
inline absl::Status prefixed(const absl::Status &status, absl::string_view text) {
  return absl::Status(status.code(), absl::StrCat(text, status.message()));
}

} // namespace lathe

#define LATHE_CONCAT_(a, b) a##b
#define LATHE_CONCAT(a, b) LATHE_CONCAT_(a, b)

// LATHE_RETURN_IF_ERROR(expr): leaves the function with expr's status unless it is ok.
#define LATHE_RETURN_IF_ERROR(expr)                                                                \
  do {                                                                                             \
    absl::Status lathe_status_ = (expr);                                                           \
    if (!lathe_status_.ok())                                                                       \
      return lathe_status_;                                                                        \
  } while (false)

// LATHE_ASSIGN_OR_RETURN(declaration, expr): the value of a StatusOr, or its error to our caller.
#define LATHE_ASSIGN_OR_RETURN(declaration, expr)                                                  \
  LATHE_ASSIGN_OR_RETURN_(LATHE_CONCAT(lathe_statusor_, __LINE__), declaration, expr)
#define LATHE_ASSIGN_OR_RETURN_(holder, declaration, expr)                                         \
  auto holder = (expr);                                                                            \
  if (!holder.ok())                                                                                \
    return std::move(holder).status();                                                             \
  declaration = *std::move(holder)
