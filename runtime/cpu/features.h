// What this CPU can do, by the names that LLVM gives its features, and whether code can run on it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/export.h"

namespace lathe::runtime {

// A level is a named set of features for which targets are compiled. The higher, the better.
struct CpuLevel {
  std::string name; // "x86-64-v3", "x86-64-v4", "x86-amx"
  std::vector<std::string> features;
};

// From the lowest to the highest; each includes what the ones before it have.
LATHE_RUNTIME_API const std::vector<CpuLevel> &cpuLevels();

// Immutable once made. Features count only if the operating system saves their registers, too.
class LATHE_RUNTIME_API CpuFeatures {
public:
  // Read once. Asks the kernel for the AMX tile registers where the CPU has them.
  static const CpuFeatures &ofThisMachine();

  CpuFeatures(std::string arch, std::set<std::string, std::less<>> names)
      : arch_(std::move(arch)), names_(std::move(names)) {}

  bool has(std::string_view name) const { return names_.count(name) != 0; }
  const std::string &arch() const { return arch_; } // "x86_64"
  // How many of cpuLevels() this CPU fulfils, 0 for none.
  uint32_t levelCount() const;
  std::string levelName() const; // of the best one; "x86-64" where there is none
  std::string text() const;      // "arch=x86_64;features=avx,avx2,..."

private:
  std::string arch_;
  std::set<std::string, std::less<>> names_;
};

// What a target's compatibility string asks for: "arch=x86_64;features=avx2,fma,f16c".
struct LATHE_RUNTIME_API CpuNeeds {
  std::string arch;
  std::vector<std::string> features;
  // The level, counted from 1, that the code was made for: the highest one of which it needs a
  // feature. 0 where it needs none.
  uint32_t levelCount() const;
};

// Refuses a key that this runtime does not know: it may be one that must be obeyed. Those of another
// arch are its own.
LATHE_RUNTIME_API absl::StatusOr<CpuNeeds> parseCpuNeeds(absl::string_view compatibility);

// Why code with these needs cannot run on such a CPU; empty where it can.
LATHE_RUNTIME_API std::string whatIsMissing(const CpuNeeds &needs, const CpuFeatures &features);

} // namespace lathe::runtime
