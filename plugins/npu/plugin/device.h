// What the handles of the device half are.
#pragma once

#include "plugin/border.h"
#include "plugin/session.h"

#include <mutex>

struct lathe_device {
  std::mutex running; // runs and changes of memory follow each other
  std::unique_ptr<npu::plugin::Session> session;
  std::string name, compatibility;
};

struct lathe_buffer {
  std::byte *memory;
  uint64_t size, address; // of the device
  bool is_imported = false;

  bool holds(uint64_t offset, uint64_t count) const {
    return offset <= size && count <= size - offset;
  }
};

struct lathe_executable {
  npu::plugin::Code code;
  std::vector<uint64_t> weight_offsets;
};

namespace npu::plugin {

// memory.cpp
lathe_error *buffer_allocate(lathe_buffer_allocate_args *args);
lathe_error *buffer_import(lathe_buffer_import_args *args);
lathe_error *buffer_release(lathe_buffer_args *args);
lathe_error *buffer_map(lathe_buffer_map_args *args);
lathe_error *buffer_unmap(lathe_buffer_args *args);
lathe_error *buffer_clear(lathe_buffer_args *args);
lathe_error *copy(lathe_copy_args *args);

// executable.cpp
lathe_error *executable_load(lathe_executable_load_args *args);
lathe_error *executable_release(lathe_executable_args *args);
lathe_error *executable_entry(lathe_executable_entry_args *args);
lathe_error *run(lathe_run_args *args);

} // namespace npu::plugin
