#include "runtime/cpu/memory.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>

#include "absl/strings/str_cat.h"
#include "runtime/cpu/nodes.h"

namespace lathe::runtime {

CpuMemory::~CpuMemory() {
  if (owned_)
    munmap(data_, size_);
}

absl::Status CpuMemory::allocate(uint64_t size, bool dense) {
  uint64_t bytes = size == 0 ? 1 : size; // so that an empty buffer has an address, too
  void *data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED)
    return absl::ResourceExhaustedError(
        absl::StrCat("cpu: no memory for a buffer of ", size, " bytes: ", std::strerror(errno)));
  if (dense)
    madvise(data, bytes, MADV_HUGEPAGE); // fewer TLB misses; if it is refused, nothing changes
  interleave(thisMachine(), data, bytes);
  data_ = data;
  size_ = bytes;
  owned_ = true;
  return absl::OkStatus();
}

void CpuMemory::borrow(const void *memory, uint64_t size) {
  data_ = const_cast<void *>(memory);
  size_ = size;
  owned_ = false;
}

absl::Status CpuMemory::clear() {
  if (!owned_)
    return absl::FailedPreconditionError("cpu: an imported buffer cannot be cleared");
  if (madvise(data_, size_, MADV_DONTNEED) != 0)
    std::memset(data_, 0, size_);
  return absl::OkStatus();
}

} // namespace lathe::runtime
