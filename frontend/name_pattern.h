// Which modules a quantization config means: by name, by class, or by regular expression.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lathe::frontend {

class NamePattern {
public:
  // compressed-tensors: "re:REGEX" matches from the start of the name (Python's re.match); anything
  // else equals the module's name or its class. INVALID_ARGUMENT for a bad or over-long expression.
  static absl::StatusOr<std::shared_ptr<const NamePattern>> target(absl::string_view text);
  // modules_to_not_convert: the module of that name and all inside it; a name without its parents
  // ("lm_head", "mlp.gate") is found wherever it stands.
  static std::shared_ptr<const NamePattern> component(absl::string_view text);

  bool isExpression() const { return kind_ == Kind::regex; }
  // A regular expression that takes too long on a name does not match it.
  bool matches(absl::string_view module, absl::string_view module_class) const;

private:
  enum class Kind { equal, component, regex };
  struct Regex;
  Kind kind_ = Kind::equal;
  std::string text_;
  std::shared_ptr<Regex> regex_;
};

} // namespace lathe::frontend
