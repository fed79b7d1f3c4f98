#include "runtime/cpu/features.h"

#include <algorithm>
#include <cpuid.h>
#include <optional>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace lathe::runtime {
namespace {

enum Register { eax, ebx, ecx, edx };

struct FeatureBit {
  const char *name;
  uint32_t leaf, subleaf;
  Register reg;
  int bit;
  // Bits of XCR0, the registers that the operating system must save for the feature to count.
  uint64_t saved;
};

constexpr uint64_t kAvxState = 0x6, kAvx512State = 0xe6, kAmxState = 0x60000;

// Intel's manual, volume 2A, CPUID.
constexpr FeatureBit kFeatureBits[] = {
    {"sse3", 1, 0, ecx, 0, 0},
    {"ssse3", 1, 0, ecx, 9, 0},
    {"fma", 1, 0, ecx, 12, kAvxState},
    {"sse4.1", 1, 0, ecx, 19, 0},
    {"sse4.2", 1, 0, ecx, 20, 0},
    {"movbe", 1, 0, ecx, 22, 0},
    {"popcnt", 1, 0, ecx, 23, 0},
    {"avx", 1, 0, ecx, 28, kAvxState},
    {"f16c", 1, 0, ecx, 29, kAvxState},
    {"lzcnt", 0x80000001, 0, ecx, 5, 0},
    {"bmi", 7, 0, ebx, 3, 0},
    {"avx2", 7, 0, ebx, 5, kAvxState},
    {"bmi2", 7, 0, ebx, 8, 0},
    {"avx512f", 7, 0, ebx, 16, kAvx512State},
    {"avx512dq", 7, 0, ebx, 17, kAvx512State},
    {"avx512ifma", 7, 0, ebx, 21, kAvx512State},
    {"avx512cd", 7, 0, ebx, 28, kAvx512State},
    {"avx512bw", 7, 0, ebx, 30, kAvx512State},
    {"avx512vl", 7, 0, ebx, 31, kAvx512State},
    {"avx512vbmi", 7, 0, ecx, 1, kAvx512State},
    {"avx512vbmi2", 7, 0, ecx, 6, kAvx512State},
    {"gfni", 7, 0, ecx, 8, kAvx512State},
    {"avx512vnni", 7, 0, ecx, 11, kAvx512State},
    {"avx512bitalg", 7, 0, ecx, 12, kAvx512State},
    {"avx512vpopcntdq", 7, 0, ecx, 14, kAvx512State},
    {"avx512fp16", 7, 0, edx, 23, kAvx512State},
    {"amx-bf16", 7, 0, edx, 22, kAmxState},
    {"amx-tile", 7, 0, edx, 24, kAmxState},
    {"amx-int8", 7, 0, edx, 25, kAmxState},
    {"avxvnni", 7, 1, eax, 4, kAvxState},
    {"avx512bf16", 7, 1, eax, 5, kAvx512State},
    {"amx-fp16", 7, 1, eax, 21, kAmxState},
};

uint32_t readCpuid(const FeatureBit &bit) {
  uint32_t registers[4] = {};
  if (!__get_cpuid_count(bit.leaf, bit.subleaf, &registers[eax], &registers[ebx], &registers[ecx],
                         &registers[edx]))
    return 0;
  return registers[bit.reg];
}

// XCR0; 0 where the operating system does not use it.
uint64_t savedRegisters() {
  const FeatureBit osxsave = {"osxsave", 1, 0, ecx, 27, 0};
  if (!(readCpuid(osxsave) >> osxsave.bit & 1))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

// Linux gives the tile registers only to a process that asks for them.
bool requestAmx() {
  const long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

CpuFeatures detect() {
  std::set<std::string, std::less<>> names;
  uint64_t saved = savedRegisters();
  for (const FeatureBit &bit : kFeatureBits)
    if ((readCpuid(bit) >> bit.bit & 1) && (bit.saved & ~saved) == 0)
      names.insert(bit.name);
  if (names.count("amx-tile") && !requestAmx())
    for (const char *name : {"amx-tile", "amx-int8", "amx-bf16", "amx-fp16"})
      names.erase(name);
  return CpuFeatures("x86_64", std::move(names));
}

// How many levels, from the lowest on, have all of their features among those that `has` knows.
template <typename Has> uint32_t countLevels(Has has) {
  uint32_t count = 0;
  for (const CpuLevel &level : cpuLevels()) {
    if (!std::all_of(level.features.begin(), level.features.end(), has))
      break;
    ++count;
  }
  return count;
}

} // namespace

const std::vector<CpuLevel> &cpuLevels() {
  // Only what tells a level from the one below it: no CPU has these without the small fry.
  static const std::vector<CpuLevel> levels = {
      {"x86-64-v3", {"avx2", "fma", "f16c"}},
      {"x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}},
      {"x86-amx", {"amx-tile", "amx-int8", "amx-bf16"}},
  };
  return levels;
}

const CpuFeatures &CpuFeatures::ofThisMachine() {
  static const CpuFeatures features = detect();
  return features;
}

uint32_t CpuFeatures::levelCount() const {
  return countLevels([this](const std::string &name) { return has(name); });
}

std::string CpuFeatures::levelName() const {
  uint32_t count = levelCount();
  return count == 0 ? "x86-64" : cpuLevels()[count - 1].name;
}

std::string CpuFeatures::text() const {
  return absl::StrCat("arch=", arch_, ";features=", absl::StrJoin(names_, ","));
}

uint32_t CpuNeeds::levelCount() const {
  // The highest level with a feature of its own among the needs: code for x86-amx may leave out
  // saying that it needs avx2.
  uint32_t count = 0;
  for (uint32_t i = 0; i < cpuLevels().size(); ++i)
    for (const std::string &name : cpuLevels()[i].features)
      if (std::find(features.begin(), features.end(), name) != features.end())
        count = i + 1;
  return count;
}

absl::StatusOr<CpuNeeds> parseCpuNeeds(absl::string_view compatibility) {
  CpuNeeds needs;
  std::optional<absl::string_view> unknown;
  for (absl::string_view part : absl::StrSplit(compatibility, ';', absl::SkipEmpty())) {
    std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (field.first == "arch")
      needs.arch = std::string(field.second);
    else if (field.first == "features")
      needs.features = absl::StrSplit(field.second, ',', absl::SkipEmpty());
    else
      unknown = field.first;
  }
  const bool is_ours = needs.arch.empty() || needs.arch == CpuFeatures::ofThisMachine().arch();
  if (unknown && is_ours)
    return absl::InvalidArgumentError(
        absl::StrCat("compatibility '", compatibility, "': '", *unknown,
                     "' is not known to this runtime; it knows arch and features"));
  if (needs.arch.empty())
    return absl::InvalidArgumentError(
        absl::StrCat("compatibility '", compatibility, "': names no arch"));
  return needs;
}

std::string whatIsMissing(const CpuNeeds &needs, const CpuFeatures &features) {
  if (needs.arch != features.arch())
    return absl::StrCat("is for ", needs.arch, ", this CPU is ", features.arch());
  std::vector<std::string> missing;
  for (const std::string &name : needs.features)
    if (!features.has(name))
      missing.push_back(name);
  if (missing.empty())
    return "";
  return absl::StrCat("needs ", absl::StrJoin(missing, ", "), ", which this CPU (",
                      features.levelName(), ") lacks");
}

} // namespace lathe::runtime
