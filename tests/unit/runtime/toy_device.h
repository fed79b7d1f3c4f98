// A device that keeps its memory in vectors and runs nothing, to be spoilt by tests: change its
// table, or the switches that say what it does wrong.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "runtime/abi/plugin.h"

struct lathe_buffer {
  std::vector<char> bytes;
};
struct lathe_executable {
  int unused = 0;
};

struct lathe_device {
  std::string name = "toy", kind = "toy", compatibility = "arch=toy", reason = "because";
  uint64_t import_alignment = 16;
  uint32_t verdict = LATHE_COMPATIBILITY_USABLE;
  bool gives_nothing = false;        // reports success all the same
  lathe_error *next_error = nullptr; // of the next call that can fail
  int closed = 0, imported = 0, released = 0, errors_released = 0, queues_released = 0;
};

namespace lathe::runtime {

inline lathe_string textOf(const std::string &text) { return {text.data(), text.size()}; }

inline lathe_error *takeNext(lathe_device *device) {
  return std::exchange(device->next_error, nullptr);
}

inline lathe_error *toyList(lathe_device_list_args *args) {
  args->device_count = 0; // tests have their own
  return nullptr;
}

inline lathe_error *toyOpen(lathe_device_open_args *) { return nullptr; }

inline lathe_error *toyClose(lathe_device_args *args) {
  ++args->device->closed;
  return nullptr;
}

inline lathe_error *toyProperties(lathe_device_properties_args *args) {
  args->properties->name = textOf(args->device->name);
  args->properties->kind = textOf(args->device->kind);
  args->properties->compatibility = textOf(args->device->compatibility);
  args->properties->import_alignment = args->device->import_alignment;
  return takeNext(args->device);
}

inline lathe_error *toyAllocate(lathe_buffer_allocate_args *args) {
  if (!args->device->gives_nothing)
    args->buffer = new lathe_buffer{std::vector<char>(args->size, 'j')};
  return takeNext(args->device);
}

inline lathe_error *toyImport(lathe_buffer_import_args *args) {
  ++args->device->imported;
  if (!args->device->gives_nothing)
    args->buffer = new lathe_buffer();
  return takeNext(args->device);
}

inline lathe_error *toyRelease(lathe_buffer_args *args) {
  ++args->device->released;
  delete args->buffer;
  return nullptr;
}

inline lathe_error *toyMap(lathe_buffer_map_args *args) {
  args->memory = args->device->gives_nothing ? nullptr : args->buffer->bytes.data();
  return takeNext(args->device);
}

inline lathe_error *toyUnmap(lathe_buffer_args *) { return nullptr; }

inline lathe_error *toyLoad(lathe_executable_load_args *args) {
  if (!args->device->gives_nothing)
    args->executable = new lathe_executable();
  return takeNext(args->device);
}

inline lathe_error *toyUnload(lathe_executable_args *args) {
  delete args->executable;
  return nullptr;
}

inline lathe_error *toyEntry(lathe_executable_entry_args *args) {
  args->entry = 7;
  return takeNext(args->device);
}

inline lathe_error *toyRun(lathe_run_args *args) { return takeNext(args->device); }

inline lathe_error *toyCompatibility(lathe_compatibility_args *args) {
  args->verdict = args->device->verdict;
  args->rank = 5;
  const std::string &reason = args->device->reason;
  args->reason.size = reason.size();
  std::memcpy(args->reason.data, reason.data(), std::min(reason.size(), args->reason.capacity));
  return takeNext(args->device);
}

inline lathe_error *toyClear(lathe_buffer_args *args) {
  std::fill(args->buffer->bytes.begin(), args->buffer->bytes.end(), 0);
  return takeNext(args->device);
}

inline lathe_device_api toyTable() {
  return {sizeof(lathe_device_api),
          nullptr,
          toyList,
          toyOpen,
          toyClose,
          toyProperties,
          toyAllocate,
          toyRelease,
          toyMap,
          toyUnmap,
          toyLoad,
          toyUnload,
          toyEntry,
          toyRun,
          toyCompatibility,
          toyImport,
          toyClear,
          nullptr,
          nullptr,
          nullptr,
          nullptr,
          nullptr,
          nullptr,
          nullptr};
}

} // namespace lathe::runtime
