#include "tools/lathe/compiler_library.h"

#include <dlfcn.h>
#include <filesystem>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace lathe::cli {
namespace {

constexpr char kName[] = "liblathe_compiler.so";

std::string pathBesideProgram() {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib" / kName).string();
}

absl::StatusOr<void *> open(const std::string &beside) {
  bool is_beside = access(beside.c_str(), F_OK) == 0;
  if (void *library = dlopen(is_beside ? beside.c_str() : kName, RTLD_NOW | RTLD_LOCAL))
    return library;
  std::string reason = dlerror();
  if (is_beside)
    return absl::FailedPreconditionError(absl::StrCat("cannot load the compiler: ", reason));
  return absl::FailedPreconditionError(absl::StrCat("this needs the compiler, ", kName,
                                                    ", which is neither at ", beside,
                                                    " nor where the loader looks (", reason, ")"));
}

} // namespace

absl::StatusOr<const compiler::Api *> compilerLibrary() {
  std::string beside = pathBesideProgram();
  absl::StatusOr<void *> library = open(beside);
  if (!library.ok())
    return library.status();
  auto *api =
      reinterpret_cast<decltype(&lathe_compiler_api)>(dlsym(*library, LATHE_COMPILER_API_SYMBOL));
  if (!api)
    return absl::FailedPreconditionError(
        absl::StrCat(kName, ": has no symbol ", LATHE_COMPILER_API_SYMBOL,
                     "; it and this program must be of one build"));
  return api();
}

} // namespace lathe::cli
