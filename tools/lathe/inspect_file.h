// What is in an artifact, out of its manifest alone.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "artifact/reader.h"

namespace lathe::cli {

std::string describe(const artifact::Artifact &artifact); // for people
nlohmann::ordered_json describeJson(const artifact::Artifact &artifact);

} // namespace lathe::cli
