#include "tests/conformance/targets/kernel_objects.h"

// The bytes of FILE between two symbols.
#define EMBED(name, file)                                                                          \
  asm(".section .rodata\n.balign 16\n" #name "_begin:\n.incbin \"" file "\"\n" #name               \
      "_end:\n.previous");                                                                         \
  extern "C" const char name##_begin[] __attribute__((visibility("hidden")));                      \
  extern "C" const char name##_end[] __attribute__((visibility("hidden")))

EMBED(lathe_kit_v3, LATHE_KERNEL_OBJECTS "/x86-64-v3.o");
EMBED(lathe_kit_v4, LATHE_KERNEL_OBJECTS "/x86-64-v4.o");
EMBED(lathe_kit_vnni, LATHE_KERNEL_OBJECTS "/x86-vnni.o");
EMBED(lathe_kit_amx, LATHE_KERNEL_OBJECTS "/x86-amx.o");

namespace lathe::conformance {

static llvm::StringRef between(const char *begin, const char *end) {
  return {begin, static_cast<size_t>(end - begin)};
}

llvm::StringRef kernelObject(llvm::StringRef level) {
  return level == "x86-64-v3"   ? between(lathe_kit_v3_begin, lathe_kit_v3_end)
         : level == "x86-64-v4" ? between(lathe_kit_v4_begin, lathe_kit_v4_end)
         : level == "x86-vnni"  ? between(lathe_kit_vnni_begin, lathe_kit_vnni_end)
                                : between(lathe_kit_amx_begin, lathe_kit_amx_end);
}

} // namespace lathe::conformance
