// What `lathe inspect` says of a model on several devices: the parts beside home.
#pragma once

#include <string>
#include <vector>

#include "nlohmann/json.hpp"

#include "artifact/reader.h"

namespace lathe::cli {

// Of a section, 0 where there is none.
uint64_t sectionBytes(const artifact::Artifact &artifact, const std::string &name);

// A row for each part of each target, under a heading; empty where every target is on one device.
std::vector<std::vector<std::string>> partRows(const artifact::Artifact &artifact);
nlohmann::ordered_json partsJson(const artifact::Artifact &artifact,
                                 const artifact::Target &target);

} // namespace lathe::cli
