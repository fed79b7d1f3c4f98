// Memory of the host, as this device's. Copies are the only ones that can wait for something.
#include <cstdlib>
#include <new>

#include "device/device.h"
#include "device/queue.h"

namespace onednn {
namespace {

constexpr uint64_t kAlignment = 64, kMostAlignment = 4096;

void requireOwn(const lathe_buffer &buffer, const char *what) {
  if (buffer.is_imported)
    fail(LATHE_ERROR_INVALID_ARGUMENT,
         std::string("imported memory is read-only: it cannot be ") + what);
}

void requirePart(const lathe_binding &part) {
  const uint64_t size = part.buffer ? part.buffer->size : 0;
  if (part.size > size || part.offset > size - part.size)
    fail(LATHE_ERROR_INVALID_ARGUMENT, "copy: " + std::to_string(part.size) + " bytes at " +
                                           std::to_string(part.offset) + " of a buffer of " +
                                           std::to_string(size));
}

} // namespace

lathe_error *bufferAllocate(lathe_buffer_allocate_args *args) {
  return answer([&] {
    lathe_buffer_allocate_args mine = take(args);
    if (mine.alignment > kMostAlignment || (mine.alignment & (mine.alignment - 1)) != 0)
      fail(LATHE_ERROR_INVALID_ARGUMENT,
           "alignment " + std::to_string(mine.alignment) + " is no power of two up to 4096");
    const uint64_t alignment = mine.alignment < kAlignment ? kAlignment : mine.alignment;
    auto buffer = std::make_unique<lathe_buffer>();
    if (mine.size <= kMaxBytes) // a block more than needed, so that 0 bytes are some
      buffer->memory = static_cast<char *>(
          std::aligned_alloc(alignment, (mine.size / alignment + 1) * alignment));
    if (!buffer->memory)
      fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "no block of " + std::to_string(mine.size) + " bytes");
    buffer->size = mine.size;
    if (mine.flags & LATHE_BUFFER_ZEROED)
      std::memset(buffer->memory, 0, mine.size);
    mine.buffer = buffer.release();
    give(args, mine);
  });
}

lathe_error *bufferImport(lathe_buffer_import_args *args) {
  return answer([&] {
    lathe_buffer_import_args mine = take(args);
    if (reinterpret_cast<uintptr_t>(mine.memory) % kAlignment != 0)
      fail(LATHE_ERROR_INVALID_ARGUMENT, "memory to import is not aligned to 64 bytes");
    mine.buffer =
        new lathe_buffer{static_cast<char *>(const_cast<void *>(mine.memory)), mine.size, true};
    give(args, mine);
  });
}

lathe_error *bufferRelease(lathe_buffer_args *args) {
  lathe_buffer *buffer = take(args).buffer;
  if (buffer && !buffer->is_imported)
    std::free(buffer->memory);
  delete buffer;
  return nullptr;
}

lathe_error *bufferMap(lathe_buffer_map_args *args) {
  return answer([&] {
    lathe_buffer_map_args mine = take(args);
    if (mine.access & LATHE_MAP_WRITE)
      requireOwn(*mine.buffer, "mapped for writing");
    mine.memory = mine.buffer->memory;
    give(args, mine);
  });
}

// The host and the device see the same bytes at all times.
lathe_error *bufferUnmap(lathe_buffer_args *) { return nullptr; }

lathe_error *bufferClear(lathe_buffer_args *args) {
  return answer([&] {
    const lathe_buffer_args mine = take(args);
    requireOwn(*mine.buffer, "cleared");
    std::memset(mine.buffer->memory, 0, mine.buffer->size);
  });
}

lathe_error *copyBytes(lathe_copy_args *args) {
  return answer([&] {
    const lathe_copy_args mine = take(args);
    const lathe_binding part = mine.device_part;
    requirePart(part);
    const bool to_host = mine.direction == LATHE_COPY_TO_HOST;
    if (!to_host && part.buffer)
      requireOwn(*part.buffer, "copied to");
    char *there = part.buffer ? part.buffer->memory + part.offset : nullptr;
    void *here = mine.host_memory;
    doWork(mine.order, [=, size = part.size] {
      if (size > 0)
        std::memcpy(to_host ? here : there, to_host ? there : here, size);
    });
  });
}

} // namespace onednn
