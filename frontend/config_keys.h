// The top-level keys of config.json that cannot change what a model computes at inference, each
// with its reason. A key that is neither read nor here is refused by ConfigReader::finish().
#pragma once

#include "absl/strings/string_view.h"
#include <nlohmann/json.hpp>

namespace lathe::frontend {

// True when `key` changes nothing whatever its value.
bool isHarmlessKey(absl::string_view key);

// True when `key` is a switch for something we do not do, and `value` leaves it off.
bool isSwitchedOff(absl::string_view key, const nlohmann::ordered_json &value);

} // namespace lathe::frontend
