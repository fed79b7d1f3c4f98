// Where each field stands in what crosses the border. A field is appended, and its line here too;
// no line is ever changed: devices and artifacts that were built with it are out there.
#include <cstddef>

#include "artifact/manifest.h"
#include "runtime/abi/cpu_executable.h"
#include "runtime/abi/device.h"

#define PIN(type, field, offset) static_assert(offsetof(type, field) == offset, "abi 1.0 is frozen")
#define SIZE(type, size) static_assert(sizeof(type) == size, "abi 1.0 is frozen")

static_assert(LATHE_DEVICE_ABI_MAJOR == 1);
static_assert(LATHE_CPU_EXECUTABLE_VERSION == 1);

PIN(lathe_string, data, 0);
PIN(lathe_string, size, 8);
SIZE(lathe_string, 16);

PIN(lathe_error, struct_size, 0);
PIN(lathe_error, code, 8);
PIN(lathe_error, reserved, 12);
PIN(lathe_error, message, 16);
PIN(lathe_error, release, 32);
SIZE(lathe_error, 40);

PIN(lathe_device_properties, struct_size, 0);
PIN(lathe_device_properties, name, 8);
PIN(lathe_device_properties, kind, 24);
PIN(lathe_device_properties, compatibility, 40);
PIN(lathe_device_properties, level, 56);
PIN(lathe_device_properties, memory_bytes, 72);
PIN(lathe_device_properties, parallelism, 80);
PIN(lathe_device_properties, host_visible, 84);
PIN(lathe_device_properties, import_alignment, 88);
SIZE(lathe_device_properties, 96);

PIN(lathe_device_properties_args, struct_size, 0);
PIN(lathe_device_properties_args, next, 8);
PIN(lathe_device_properties_args, device, 16);
PIN(lathe_device_properties_args, properties, 24);
SIZE(lathe_device_properties_args, 32);

PIN(lathe_compatibility_args, compatibility, 24);
PIN(lathe_compatibility_args, verdict, 40);
PIN(lathe_compatibility_args, rank, 44);
PIN(lathe_compatibility_args, reason, 48);
PIN(lathe_compatibility_args, reason_capacity, 56);
PIN(lathe_compatibility_args, reason_size, 64);
SIZE(lathe_compatibility_args, 72);
static_assert(LATHE_COMPATIBILITY_OPTIMAL == 0 && LATHE_COMPATIBILITY_USABLE == 1 &&
              LATHE_COMPATIBILITY_NO == 2);

PIN(lathe_buffer_allocate_args, size, 24);
PIN(lathe_buffer_allocate_args, alignment, 32);
PIN(lathe_buffer_allocate_args, flags, 40);
PIN(lathe_buffer_allocate_args, reserved, 44);
PIN(lathe_buffer_allocate_args, buffer, 48);
SIZE(lathe_buffer_allocate_args, 56);
static_assert(LATHE_BUFFER_ZEROED == 1);

PIN(lathe_buffer_import_args, memory, 24);
PIN(lathe_buffer_import_args, size, 32);
PIN(lathe_buffer_import_args, buffer, 40);
SIZE(lathe_buffer_import_args, 48);

PIN(lathe_buffer_map_args, buffer, 24);
PIN(lathe_buffer_map_args, access, 32);
PIN(lathe_buffer_map_args, reserved, 36);
PIN(lathe_buffer_map_args, memory, 40);
SIZE(lathe_buffer_map_args, 48);
static_assert(LATHE_MAP_READ == 1 && LATHE_MAP_WRITE == 2);

PIN(lathe_buffer_args, buffer, 24);
SIZE(lathe_buffer_args, 32);

PIN(lathe_executable_load_args, code, 24);
PIN(lathe_executable_load_args, size, 32);
PIN(lathe_executable_load_args, compatibility, 40);
PIN(lathe_executable_load_args, executable, 56);
SIZE(lathe_executable_load_args, 64);

PIN(lathe_executable_entry_args, executable, 24);
PIN(lathe_executable_entry_args, name, 32);
PIN(lathe_executable_entry_args, entry, 48);
PIN(lathe_executable_entry_args, reserved, 52);
SIZE(lathe_executable_entry_args, 56);

PIN(lathe_executable_args, executable, 24);
SIZE(lathe_executable_args, 32);

PIN(lathe_run_args, executable, 24);
PIN(lathe_run_args, entry, 32);
PIN(lathe_run_args, buffer_count, 36);
PIN(lathe_run_args, buffers, 40);
PIN(lathe_run_args, rows, 48);
PIN(lathe_run_args, output_rows, 56);
PIN(lathe_run_args, observe, 64);
PIN(lathe_run_args, observer, 72);
SIZE(lathe_run_args, 80);

PIN(lathe_device_api, struct_size, 0);
PIN(lathe_device_api, next, 8);
PIN(lathe_device_api, abi_major, 16);
PIN(lathe_device_api, abi_minor, 20);
PIN(lathe_device_api, properties, 24);
PIN(lathe_device_api, buffer_allocate, 32);
PIN(lathe_device_api, buffer_release, 40);
PIN(lathe_device_api, buffer_map, 48);
PIN(lathe_device_api, buffer_unmap, 56);
PIN(lathe_device_api, executable_load, 64);
PIN(lathe_device_api, executable_release, 72);
PIN(lathe_device_api, executable_entry, 80);
PIN(lathe_device_api, run, 88);
PIN(lathe_device_api, compatibility, 96);
PIN(lathe_device_api, buffer_import, 104);
PIN(lathe_device_api, buffer_clear, 112);
SIZE(lathe_device_api, 120);

PIN(lathe_cpu_host, struct_size, 0);
PIN(lathe_cpu_host, pool, 8);
PIN(lathe_cpu_host, parallel, 16);
PIN(lathe_cpu_host, observe, 24);
PIN(lathe_cpu_host, observer, 32);
SIZE(lathe_cpu_host, 40);

PIN(lathe_cpu_call, struct_size, 0);
PIN(lathe_cpu_call, host, 8);
PIN(lathe_cpu_call, rows, 16);
PIN(lathe_cpu_call, output_rows, 24);
PIN(lathe_cpu_call, buffers, 32);
SIZE(lathe_cpu_call, 40);

PIN(lathe_cpu_entry, name, 0);
PIN(lathe_cpu_entry, run, 8);
SIZE(lathe_cpu_entry, 16); // an array of them crosses: it can never grow

PIN(lathe_cpu_executable, struct_size, 0);
PIN(lathe_cpu_executable, version, 8);
PIN(lathe_cpu_executable, entry_count, 12);
PIN(lathe_cpu_executable, entries, 16);
SIZE(lathe_cpu_executable, 24);

// The kinds of buffers stand in manifests and in code.
static_assert(LATHE_CPU_TOKENS == 0 && LATHE_CPU_SLOTS == 1 && LATHE_CPU_POSITIONS == 2 &&
              LATHE_CPU_OUTPUT_ROWS == 3 && LATHE_CPU_LOGITS == 4 && LATHE_CPU_ARENA == 5 &&
              LATHE_CPU_WEIGHTS == 6 && LATHE_CPU_STATE == 7 && LATHE_CPU_BUFFER_COUNT == 8);
static_assert(static_cast<int>(lathe::artifact::BufferKind::state) == LATHE_CPU_STATE);
