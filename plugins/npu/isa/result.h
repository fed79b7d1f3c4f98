// What a call gives that may be refused: a value, or one error. No exception crosses this library.
// An error says where, what it is, what it should be, what to do next: lower case, no full stop.
#pragma once

#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace npu {

struct Error {
  std::string message;
};

// Joins the parts of a message.
template <class... Parts> std::string text(const Parts &...parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

template <class... Parts> Error error(const Parts &...parts) { return Error{text(parts...)}; }

// Bytes and addresses read best in hexadecimal.
struct Hex {
  unsigned long long value;
};
inline std::ostream &operator<<(std::ostream &out, Hex hex) {
  std::ostringstream digits;
  digits << "0x" << std::hex << hex.value;
  return out << digits.str();
}

class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Error failure) : failure(std::move(failure)) {}
  bool ok() const { return !failure; }
  const std::string &message() const { return failure->message; }
  Error takeError() { return std::move(*failure); }

private:
  std::optional<Error> failure;
};

template <class T> class [[nodiscard]] Result {
public:
  Result(T value) : content(std::move(value)) {}
  Result(Error failure) : status(std::move(failure)) {}
  bool ok() const { return status.ok(); }
  const std::string &message() const { return status.message(); }
  Error takeError() { return status.takeError(); }
  T &operator*() { return *content; }
  const T &operator*() const { return *content; }
  T *operator->() { return &*content; }
  const T *operator->() const { return &*content; }

private:
  std::optional<T> content;
  Status status;
};

#define NPU_CONCAT_(a, b) a##b
#define NPU_CONCAT(a, b) NPU_CONCAT_(a, b)
#define NPU_RETURN_IF_ERROR(expression)                                                            \
  do {                                                                                             \
    if (auto status_ = (expression); !status_.ok())                                                \
      return status_.takeError();                                                                  \
  } while (false)
#define NPU_ASSIGN_OR_RETURN(declaration, expression)                                              \
  auto NPU_CONCAT(result_, __LINE__) = (expression);                                               \
  if (!NPU_CONCAT(result_, __LINE__).ok())                                                         \
    return NPU_CONCAT(result_, __LINE__).takeError();                                              \
  declaration = std::move(*NPU_CONCAT(result_, __LINE__))

} // namespace npu
