// What `--stats` says of a generation.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "runtime/generate/generate.h"

namespace lathe::cli {

std::string statsText(const runtime::GenerateStats &stats); // lines for people
nlohmann::ordered_json statsJson(const runtime::GenerateStats &stats);

} // namespace lathe::cli
