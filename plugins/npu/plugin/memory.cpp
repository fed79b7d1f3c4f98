// Global memory of a simulated device: memory of the host, which both see at all times.
#include "plugin/device.h"
#include "plugin/queue.h"

#include <cstdlib>

namespace npu::plugin {

lathe_error *buffer_allocate(lathe_buffer_allocate_args *args) {
  lathe_buffer_allocate_args mine = take(args);
  uint64_t alignment = std::max<uint64_t>(mine.alignment, 512);
  if (mine.alignment > 4096 || (mine.alignment & (mine.alignment - 1)) != 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                text("alignment ", mine.alignment, " is no power of two up to 4096"));
  void *memory = nullptr;
  if (mine.size <= max_bytes) // a block more than needed, so that 0 bytes are some
    memory = std::aligned_alloc(alignment, (mine.size / alignment + 1) * alignment);
  if (!memory)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, text("the host has no ", mine.size, " bytes"));
  if (mine.flags & LATHE_BUFFER_ZEROED)
    std::memset(memory, 0, mine.size);
  std::lock_guard<std::mutex> lock(mine.device->running);
  auto *bytes = static_cast<std::byte *>(memory);
  Result<uint64_t> address = mine.device->session->memory().attach(bytes, mine.size);
  if (!address.ok()) {
    std::free(memory);
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, address.message());
  }
  mine.buffer = new lathe_buffer{bytes, mine.size, *address, false};
  return give(args, mine);
}

// The host's bytes as they are: no copy of weights is made. Programs that write there are refused.
lathe_error *buffer_import(lathe_buffer_import_args *args) {
  lathe_buffer_import_args mine = take(args);
  auto *bytes = static_cast<const std::byte *>(mine.memory);
  std::lock_guard<std::mutex> lock(mine.device->running);
  Result<uint64_t> address = mine.device->session->memory().attachReadOnly(bytes, mine.size);
  if (!address.ok())
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, address.message());
  mine.buffer = new lathe_buffer{const_cast<std::byte *>(bytes), mine.size, *address, true};
  return give(args, mine);
}

lathe_error *buffer_release(lathe_buffer_args *args) {
  lathe_buffer_args mine = take(args);
  if (!mine.buffer)
    return nullptr;
  std::lock_guard<std::mutex> lock(mine.device->running);
  Status released = mine.device->session->memory().release(mine.buffer->address);
  if (!mine.buffer->is_imported)
    std::free(mine.buffer->memory);
  delete mine.buffer;
  return released.ok() ? nullptr : fail(LATHE_ERROR_INTERNAL, released.message());
}

lathe_error *buffer_map(lathe_buffer_map_args *args) {
  lathe_buffer_map_args mine = take(args);
  mine.memory = mine.buffer->memory;
  return give(args, mine);
}

// Host and device see one memory.
lathe_error *buffer_unmap(lathe_buffer_args *) { return nullptr; }

static lathe_error *refuse_imported(const lathe_buffer &buffer) {
  return buffer.is_imported ? fail(LATHE_ERROR_INVALID_ARGUMENT,
                                   "an imported buffer is the host's own and only read")
                            : nullptr;
}

lathe_error *buffer_clear(lathe_buffer_args *args) {
  lathe_buffer &buffer = *take(args).buffer;
  if (lathe_error *problem = refuse_imported(buffer))
    return problem;
  std::memset(buffer.memory, 0, buffer.size);
  return nullptr;
}

lathe_error *copy(lathe_copy_args *args) {
  lathe_copy_args mine = take(args);
  const lathe_binding &part = mine.device_part;
  if (part.buffer ? !part.buffer->holds(part.offset, part.size) : part.size > 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                text("copy of ", part.size, " bytes at ", part.offset, " of a buffer of ",
                     part.buffer ? part.buffer->size : 0));
  bool to_host = mine.direction == LATHE_COPY_TO_HOST;
  if (lathe_error *problem = to_host || !part.buffer ? nullptr : refuse_imported(*part.buffer))
    return problem;
  std::byte *there = part.buffer ? part.buffer->memory + part.offset : nullptr;
  void *here = mine.host_memory;
  return do_work(mine.order, [=, size = part.size]() -> lathe_error * {
    if (size > 0)
      std::memcpy(to_host ? here : there, to_host ? there : here, size);
    return nullptr;
  });
}

} // namespace npu::plugin
