// Code of a plugin's compile half, looked at before it is believed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "backends/plugin/target.h"
#include "runtime/abi/plugin.h"

namespace lathe::plugin {

// Offsets are ours: weights stand one behind the other, each aligned as the plugin wants it.
struct PackedWeight {
  std::string name, layout; // name: of its first source
  uint64_t offset = 0, size = 0;
};

// Owns what the plugin gave. The program must outlive it.
class Code {
public:
  // Told how far the plugin is, 0 to 1; false: stop.
  using Progress = std::function<bool(double done)>;

  // What the plugin answers: FAILED_PRECONDITION: not in this company. INTERNAL: what it gives
  // makes no sense.
  static absl::StatusOr<std::unique_ptr<Code>>
  compile(const Target &target, const lathe_program &program, const Progress &progress);
  ~Code();
  Code(const Code &) = delete;
  Code &operator=(const Code &) = delete;

  const std::string &compatibility() const { return compatibility_; }
  absl::Span<const uint8_t> bytes() const { return bytes_; }
  const std::vector<PackedWeight> &weights() const { return weights_; }
  uint64_t weightBytes() const {
    return weights_.empty() ? 0 : weights_.back().offset + weights_.back().size;
  }
  uint64_t stateBytes() const { return state_bytes_; }
  // Of the entry that is named like the function.
  uint64_t scratchBytes(const std::string &entry) const { return scratch_.at(entry); }
  // Bytes [offset, offset + out.size()) of a weight.
  absl::Status pack(size_t weight, uint64_t offset, absl::Span<uint8_t> out) const;

private:
  Code(const Target &target, const lathe_program &program) : target_(target), program_(program) {}
  absl::Status read();
  absl::Status readEntries();
  absl::Status readWeight(const lathe_packed_weight *weight);
  absl::Status wrong(absl::string_view what) const;

  Target target_;
  const lathe_program &program_;
  lathe_compiled *compiled_ = nullptr;
  std::string compatibility_;
  absl::Span<const uint8_t> bytes_;
  std::map<std::string, uint64_t> scratch_;
  std::vector<PackedWeight> weights_;
  uint64_t state_bytes_ = 0;
};

} // namespace lathe::plugin
