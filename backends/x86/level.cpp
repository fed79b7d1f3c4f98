#include "backends/x86/level.h"

namespace lathe::x86 {

// The compatibility strings name CPUID features in the runtime's spelling
// (runtime/cpu/features.cpp).
static const Level kLevels[] = {
    {"x86-64-v3", "x86-64-v3", "", "arch=x86_64;features=avx2,fma,f16c", false},
    {"x86-64-v4", "x86-64-v4", "",
     "arch=x86_64;features=avx2,fma,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl", false},
    {"x86-vnni", "x86-64-v4", "+avx512vnni",
     "arch=x86_64;features=avx2,fma,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni",
     false, /*for_integers=*/true},
    {"x86-amx", "x86-64-v4",
     "+avx512vnni,+avx512bf16,+avx512vbmi,+gfni,+amx-tile,+amx-int8,+amx-bf16",
     "arch=x86_64;features=avx2,fma,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni,"
     "avx512bf16,avx512vbmi,gfni,amx-tile,amx-int8,amx-bf16",
     true},
};

llvm::ArrayRef<Level> levels() { return kLevels; }

const Level *findLevel(llvm::StringRef name) {
  for (const Level &level : kLevels)
    if (level.name == name)
      return &level;
  return nullptr;
}

} // namespace lathe::x86
