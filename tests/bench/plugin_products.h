// Products as a plugin's targets make them, beside those of x86: the same shapes, weights out of
// memory.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace lathe::bench {

// Registers "onednn:bf16/linear/bf16/rows:24" and so on for each target of the library at `path`
// that takes the product. What is made lives as long as the process.
absl::Status addPluginProducts(const std::string &path, int threads, int64_t cold_bytes);

} // namespace lathe::bench
