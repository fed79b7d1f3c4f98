#include "runtime/cpu/loaded_code.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "runtime/cpu/elf_check.h"

namespace lathe::runtime {
namespace {

constexpr uint32_t kMaxEntries = 256;

absl::Status writeAll(int descriptor, absl::Span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return absl::ResourceExhaustedError(
          absl::StrCat("executable: cannot write to memory: ", std::strerror(errno)));
    bytes.remove_prefix(count);
  }
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<std::unique_ptr<LoadedCode>> LoadedCode::load(absl::Span<const uint8_t> elf) {
  LATHE_RETURN_IF_ERROR(checkElf(elf));
  std::unique_ptr<LoadedCode> code(new LoadedCode());
  LATHE_RETURN_IF_ERROR(code->open(elf));
  LATHE_RETURN_IF_ERROR(code->checkExecutable());
  return code;
}

absl::Status LoadedCode::open(absl::Span<const uint8_t> elf) {
  // The descriptor stays open as long as the code: the loader knows a library by its path, and a
  // second file of the same number would be taken for this one.
  descriptor_ = memfd_create("lathe-code", MFD_CLOEXEC);
  if (descriptor_ < 0)
    return absl::ResourceExhaustedError(
        absl::StrCat("executable: cannot make a file in memory: ", std::strerror(errno)));
  LATHE_RETURN_IF_ERROR(writeAll(descriptor_, elf));
  std::string path = absl::StrCat("/proc/self/fd/", descriptor_);
  library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library_)
    return absl::InvalidArgumentError(absl::StrCat("executable: cannot be loaded: ", dlerror()));
  executable_ =
      static_cast<const lathe_cpu_executable *>(dlsym(library_, LATHE_CPU_EXECUTABLE_SYMBOL));
  if (!executable_)
    return absl::InvalidArgumentError("executable: has no symbol " LATHE_CPU_EXECUTABLE_SYMBOL);
  return absl::OkStatus();
}

LoadedCode::~LoadedCode() {
  if (library_)
    dlclose(library_);
  if (descriptor_ >= 0)
    close(descriptor_);
}

absl::Status LoadedCode::checkExecutable() const {
  if (executable_->struct_size < sizeof(lathe_cpu_executable))
    return absl::InvalidArgumentError(absl::StrCat("executable: its table has ",
                                                   executable_->struct_size, " bytes, at least ",
                                                   sizeof(lathe_cpu_executable), " are needed"));
  if (executable_->version != LATHE_CPU_EXECUTABLE_VERSION)
    return absl::FailedPreconditionError(absl::StrCat(
        "executable: has version ", executable_->version, ", this runtime runs ",
        LATHE_CPU_EXECUTABLE_VERSION, "; compile the model again with the lathe of this runtime"));
  if (executable_->entry_count == 0 || executable_->entry_count > kMaxEntries ||
      !executable_->entries)
    return absl::InvalidArgumentError(absl::StrCat("executable: has ", executable_->entry_count,
                                                   " entries, there must be from 1 to ",
                                                   kMaxEntries));
  for (const lathe_cpu_entry &entry : entries())
    if (!entry.name || !entry.run)
      return absl::InvalidArgumentError("executable: an entry has no name or no code");
  return absl::OkStatus();
}

std::string LoadedCode::entryNames() const {
  return absl::StrJoin(entries(), ", ", [](std::string *out, const lathe_cpu_entry &entry) {
    out->append(entry.name);
  });
}

} // namespace lathe::runtime
