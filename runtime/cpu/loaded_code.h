// Machine code from an artifact, loaded into this process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/abi/cpu_executable.h"

namespace lathe::runtime {

// Loaded with the system's dynamic loader from a file in memory: no temporary file is written, and
// debuggers see the symbols. Unloaded with the object. Immutable, thread-safe.
class LoadedCode {
public:
  static absl::StatusOr<std::unique_ptr<LoadedCode>> load(absl::Span<const uint8_t> elf);
  ~LoadedCode();
  LoadedCode(const LoadedCode &) = delete;
  LoadedCode &operator=(const LoadedCode &) = delete;

  absl::Span<const lathe_cpu_entry> entries() const {
    return {executable_->entries, executable_->entry_count};
  }
  std::string entryNames() const; // "decode, prefill"

private:
  LoadedCode() = default;
  absl::Status open(absl::Span<const uint8_t> elf);
  absl::Status checkExecutable() const;

  int descriptor_ = -1;
  void *library_ = nullptr;
  const lathe_cpu_executable *executable_ = nullptr;
};

} // namespace lathe::runtime
