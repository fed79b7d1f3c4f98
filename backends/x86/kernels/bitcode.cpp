#include "backends/x86/kernels/bitcode.h"

// Puts FILE between the symbols NAME and NAME_end.
#define LATHE_EMBED(NAME, FILE)                                                                    \
  __asm__(".section .rodata\n.balign 64\n" #NAME ":\n.incbin \"" LATHE_BITCODE_DIR "/" FILE        \
          "\"\n" #NAME "_end:\n"                                                                   \
          ".byte 0\n.previous\n");                                                                 \
  extern "C" __attribute__((visibility("hidden"))) const char NAME[], NAME##_end[];

LATHE_EMBED(lathe_bitcode_v3, "x86-64-v3.bc")
LATHE_EMBED(lathe_bitcode_v4, "x86-64-v4.bc")
LATHE_EMBED(lathe_bitcode_vnni, "x86-vnni.bc")
LATHE_EMBED(lathe_bitcode_amx, "x86-amx.bc")

namespace lathe::x86 {

llvm::StringRef kernelBitcode(llvm::StringRef level) {
  if (level == "x86-64-v3")
    return {lathe_bitcode_v3, static_cast<size_t>(lathe_bitcode_v3_end - lathe_bitcode_v3)};
  if (level == "x86-64-v4")
    return {lathe_bitcode_v4, static_cast<size_t>(lathe_bitcode_v4_end - lathe_bitcode_v4)};
  if (level == "x86-vnni")
    return {lathe_bitcode_vnni, static_cast<size_t>(lathe_bitcode_vnni_end - lathe_bitcode_vnni)};
  if (level == "x86-amx")
    return {lathe_bitcode_amx, static_cast<size_t>(lathe_bitcode_amx_end - lathe_bitcode_amx)};
  return {};
}

} // namespace lathe::x86
