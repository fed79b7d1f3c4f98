// What the handles of the device half are, to each other.
#pragma once

#include <memory>
#include <mutex>

#include "border.h"
#include "code/code.h"
#include "kernels/kernels.h"

struct lathe_device {
  onednn::Library library;
  std::mutex running; // runs without a queue follow each other
};

struct lathe_buffer {
  char *memory = nullptr;
  uint64_t size = 0;
  bool is_imported = false; // the host's, and read-only
};

struct lathe_executable {
  onednn::Code code;
  std::vector<uint64_t> weight_offsets;
};

namespace onednn {

// memory.cpp
lathe_error *bufferAllocate(lathe_buffer_allocate_args *args);
lathe_error *bufferImport(lathe_buffer_import_args *args);
lathe_error *bufferRelease(lathe_buffer_args *args);
lathe_error *bufferMap(lathe_buffer_map_args *args);
lathe_error *bufferUnmap(lathe_buffer_args *args);
lathe_error *bufferClear(lathe_buffer_args *args);
lathe_error *copyBytes(lathe_copy_args *args);

// executable.cpp
bool runsHere(lathe_string compatibility);
lathe_error *executableLoad(lathe_executable_load_args *args);
lathe_error *executableRelease(lathe_executable_args *args);
lathe_error *executableEntry(lathe_executable_entry_args *args);
lathe_error *run(lathe_run_args *args);

// queue.cpp
lathe_error *queueCreate(lathe_queue_create_args *args);
lathe_error *queueRelease(lathe_queue_args *args);
lathe_error *queueError(lathe_queue_args *args);
lathe_error *eventCreate(lathe_event_create_args *args);
lathe_error *eventRelease(lathe_event_args *args);
lathe_error *eventWait(lathe_event_wait_args *args);

} // namespace onednn
