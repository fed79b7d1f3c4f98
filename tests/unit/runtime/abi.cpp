// Where each field stands in what crosses the border. A field is appended, and its line here too;
// no line is ever changed: devices and artifacts that were built with it are out there.
#include <cstddef>

#include "artifact/manifest.h"
#include "runtime/abi/cpu_executable.h"
#include "runtime/abi/plugin.h"

#define PIN(type, field, offset)                                                                   \
  static_assert(offsetof(type, field) == offset, "abi 1.0 is frozen: read "                        \
                                                 "runtime/abi/CHANGELOG.md")
#define SIZE(type, size)                                                                           \
  static_assert(sizeof(type) == size, "abi 1.0 is frozen: read runtime/abi/CHANGELOG.md")

static_assert(LATHE_ABI_MAJOR == 1);
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

PIN(lathe_extension, struct_size, 0);
PIN(lathe_extension, next, 8);
PIN(lathe_extension, type, 16);
SIZE(lathe_extension, 32);

PIN(lathe_text_out, data, 0);
PIN(lathe_text_out, capacity, 8);
PIN(lathe_text_out, size, 16);
SIZE(lathe_text_out, 24);

PIN(lathe_host, struct_size, 0);
PIN(lathe_host, next, 8);
PIN(lathe_host, abi_major, 16);
PIN(lathe_host, abi_minor, 20);
PIN(lathe_host, name, 24);
PIN(lathe_host, version, 40);
PIN(lathe_host, context, 56);
PIN(lathe_host, log, 64);
PIN(lathe_host, option, 72);
PIN(lathe_host, parallel, 80);
SIZE(lathe_host, 88);

PIN(lathe_hardware, struct_size, 0);
PIN(lathe_hardware, vendor_id, 8);
PIN(lathe_hardware, device_id, 12);
PIN(lathe_hardware, class_code, 16);
PIN(lathe_hardware, numa_node, 20);
PIN(lathe_hardware, path, 24);
SIZE(lathe_hardware, 40);

PIN(lathe_device_list_args, struct_size, 0);
PIN(lathe_device_list_args, next, 8);
PIN(lathe_device_list_args, hardware, 16);
PIN(lathe_device_list_args, hardware_count, 24);
PIN(lathe_device_list_args, device_count, 32);
PIN(lathe_device_list_args, reserved, 36);
SIZE(lathe_device_list_args, 40);

PIN(lathe_device_open_args, struct_size, 0);
PIN(lathe_device_open_args, next, 8);
PIN(lathe_device_open_args, index, 16);
PIN(lathe_device_open_args, reserved, 20);
PIN(lathe_device_open_args, device, 24);
SIZE(lathe_device_open_args, 32);

PIN(lathe_device_args, struct_size, 0);
PIN(lathe_device_args, next, 8);
PIN(lathe_device_args, device, 16);
SIZE(lathe_device_args, 24);

PIN(lathe_device_properties, struct_size, 0);
PIN(lathe_device_properties, name, 8);
PIN(lathe_device_properties, kind, 24);
PIN(lathe_device_properties, compatibility, 40);
PIN(lathe_device_properties, level, 56);
PIN(lathe_device_properties, details, 72);
PIN(lathe_device_properties, memory_bytes, 88);
PIN(lathe_device_properties, import_alignment, 96);
PIN(lathe_device_properties, parallelism, 104);
PIN(lathe_device_properties, host_visible, 108);
PIN(lathe_device_properties, simulated, 112);
PIN(lathe_device_properties, reserved, 116);
SIZE(lathe_device_properties, 120);

PIN(lathe_device_properties_args, struct_size, 0);
PIN(lathe_device_properties_args, next, 8);
PIN(lathe_device_properties_args, device, 16);
PIN(lathe_device_properties_args, properties, 24);
SIZE(lathe_device_properties_args, 32);

PIN(lathe_compatibility_args, struct_size, 0);
PIN(lathe_compatibility_args, next, 8);
PIN(lathe_compatibility_args, device, 16);
PIN(lathe_compatibility_args, compatibility, 24);
PIN(lathe_compatibility_args, verdict, 40);
PIN(lathe_compatibility_args, rank, 44);
PIN(lathe_compatibility_args, reason, 48);
SIZE(lathe_compatibility_args, 72);

PIN(lathe_buffer_allocate_args, struct_size, 0);
PIN(lathe_buffer_allocate_args, next, 8);
PIN(lathe_buffer_allocate_args, device, 16);
PIN(lathe_buffer_allocate_args, size, 24);
PIN(lathe_buffer_allocate_args, alignment, 32);
PIN(lathe_buffer_allocate_args, flags, 40);
PIN(lathe_buffer_allocate_args, reserved, 44);
PIN(lathe_buffer_allocate_args, buffer, 48);
SIZE(lathe_buffer_allocate_args, 56);

PIN(lathe_buffer_import_args, struct_size, 0);
PIN(lathe_buffer_import_args, next, 8);
PIN(lathe_buffer_import_args, device, 16);
PIN(lathe_buffer_import_args, memory, 24);
PIN(lathe_buffer_import_args, size, 32);
PIN(lathe_buffer_import_args, buffer, 40);
SIZE(lathe_buffer_import_args, 48);

PIN(lathe_buffer_map_args, struct_size, 0);
PIN(lathe_buffer_map_args, next, 8);
PIN(lathe_buffer_map_args, device, 16);
PIN(lathe_buffer_map_args, buffer, 24);
PIN(lathe_buffer_map_args, access, 32);
PIN(lathe_buffer_map_args, reserved, 36);
PIN(lathe_buffer_map_args, memory, 40);
SIZE(lathe_buffer_map_args, 48);

PIN(lathe_buffer_args, struct_size, 0);
PIN(lathe_buffer_args, next, 8);
PIN(lathe_buffer_args, device, 16);
PIN(lathe_buffer_args, buffer, 24);
SIZE(lathe_buffer_args, 32);

PIN(lathe_binding, buffer, 0);
PIN(lathe_binding, offset, 8);
PIN(lathe_binding, size, 16);
SIZE(lathe_binding, 24);

PIN(lathe_point, event, 0);
PIN(lathe_point, value, 8);
SIZE(lathe_point, 16);

PIN(lathe_order, queue, 0);
PIN(lathe_order, waits, 8);
PIN(lathe_order, wait_count, 16);
PIN(lathe_order, signal, 24);
SIZE(lathe_order, 40);

PIN(lathe_queue_create_args, struct_size, 0);
PIN(lathe_queue_create_args, next, 8);
PIN(lathe_queue_create_args, device, 16);
PIN(lathe_queue_create_args, queue, 24);
SIZE(lathe_queue_create_args, 32);

PIN(lathe_queue_args, struct_size, 0);
PIN(lathe_queue_args, next, 8);
PIN(lathe_queue_args, device, 16);
PIN(lathe_queue_args, queue, 24);
SIZE(lathe_queue_args, 32);

PIN(lathe_event_create_args, struct_size, 0);
PIN(lathe_event_create_args, next, 8);
PIN(lathe_event_create_args, device, 16);
PIN(lathe_event_create_args, value, 24);
PIN(lathe_event_create_args, event, 32);
SIZE(lathe_event_create_args, 40);

PIN(lathe_event_args, struct_size, 0);
PIN(lathe_event_args, next, 8);
PIN(lathe_event_args, device, 16);
PIN(lathe_event_args, event, 24);
SIZE(lathe_event_args, 32);

PIN(lathe_event_wait_args, struct_size, 0);
PIN(lathe_event_wait_args, next, 8);
PIN(lathe_event_wait_args, device, 16);
PIN(lathe_event_wait_args, event, 24);
PIN(lathe_event_wait_args, value, 32);
PIN(lathe_event_wait_args, timeout, 40);
PIN(lathe_event_wait_args, reached, 48);
SIZE(lathe_event_wait_args, 56);

PIN(lathe_copy_args, struct_size, 0);
PIN(lathe_copy_args, next, 8);
PIN(lathe_copy_args, device, 16);
PIN(lathe_copy_args, device_part, 24);
PIN(lathe_copy_args, host_memory, 48);
PIN(lathe_copy_args, direction, 56);
PIN(lathe_copy_args, reserved, 60);
PIN(lathe_copy_args, order, 64);
SIZE(lathe_copy_args, 104);

PIN(lathe_executable_load_args, struct_size, 0);
PIN(lathe_executable_load_args, next, 8);
PIN(lathe_executable_load_args, device, 16);
PIN(lathe_executable_load_args, code, 24);
PIN(lathe_executable_load_args, size, 32);
PIN(lathe_executable_load_args, compatibility, 40);
PIN(lathe_executable_load_args, weight_offsets, 56);
PIN(lathe_executable_load_args, weight_count, 64);
PIN(lathe_executable_load_args, executable, 72);
SIZE(lathe_executable_load_args, 80);

PIN(lathe_executable_entry_args, struct_size, 0);
PIN(lathe_executable_entry_args, next, 8);
PIN(lathe_executable_entry_args, device, 16);
PIN(lathe_executable_entry_args, executable, 24);
PIN(lathe_executable_entry_args, name, 32);
PIN(lathe_executable_entry_args, entry, 48);
PIN(lathe_executable_entry_args, reserved, 52);
SIZE(lathe_executable_entry_args, 56);

PIN(lathe_executable_args, struct_size, 0);
PIN(lathe_executable_args, next, 8);
PIN(lathe_executable_args, device, 16);
PIN(lathe_executable_args, executable, 24);
SIZE(lathe_executable_args, 32);

PIN(lathe_run_args, struct_size, 0);
PIN(lathe_run_args, next, 8);
PIN(lathe_run_args, device, 16);
PIN(lathe_run_args, executable, 24);
PIN(lathe_run_args, entry, 32);
PIN(lathe_run_args, binding_count, 36);
PIN(lathe_run_args, bindings, 40);
PIN(lathe_run_args, rows, 48);
PIN(lathe_run_args, output_rows, 56);
PIN(lathe_run_args, order, 64);
PIN(lathe_run_args, observe, 104);
PIN(lathe_run_args, observer, 112);
SIZE(lathe_run_args, 120);

PIN(lathe_device_api, struct_size, 0);
PIN(lathe_device_api, next, 8);
PIN(lathe_device_api, device_list, 16);
PIN(lathe_device_api, device_open, 24);
PIN(lathe_device_api, device_close, 32);
PIN(lathe_device_api, properties, 40);
PIN(lathe_device_api, buffer_allocate, 48);
PIN(lathe_device_api, buffer_release, 56);
PIN(lathe_device_api, buffer_map, 64);
PIN(lathe_device_api, buffer_unmap, 72);
PIN(lathe_device_api, executable_load, 80);
PIN(lathe_device_api, executable_release, 88);
PIN(lathe_device_api, executable_entry, 96);
PIN(lathe_device_api, run, 104);
PIN(lathe_device_api, compatibility, 112);
PIN(lathe_device_api, buffer_import, 120);
PIN(lathe_device_api, buffer_clear, 128);
PIN(lathe_device_api, copy, 136);
PIN(lathe_device_api, queue_create, 144);
PIN(lathe_device_api, queue_release, 152);
PIN(lathe_device_api, event_create, 160);
PIN(lathe_device_api, event_release, 168);
PIN(lathe_device_api, event_wait, 176);
PIN(lathe_device_api, queue_error, 184);
SIZE(lathe_device_api, 192);

PIN(lathe_type, struct_size, 0);
PIN(lathe_type, kind, 8);
PIN(lathe_type, element, 12);
PIN(lathe_type, shape, 16);
PIN(lathe_type, rank, 24);
PIN(lathe_type, row_factor, 32);
PIN(lathe_type, block_rows, 40);
PIN(lathe_type, block_columns, 48);
PIN(lathe_type, scale_element, 56);
PIN(lathe_type, reserved, 60);
PIN(lathe_type, slots, 64);
PIN(lathe_type, max_context, 72);
PIN(lathe_type, kv_lora_rank, 80);
PIN(lathe_type, rope_dim, 88);
PIN(lathe_type, kv_heads, 96);
PIN(lathe_type, key_dim, 104);
PIN(lathe_type, value_dim, 112);
SIZE(lathe_type, 120);

PIN(lathe_value, struct_size, 0);
PIN(lathe_value, id, 8);
PIN(lathe_value, is_unused, 12);
PIN(lathe_value, type, 16);
SIZE(lathe_value, 24);

PIN(lathe_operand, struct_size, 0);
PIN(lathe_operand, name, 8);
PIN(lathe_operand, value, 24);
SIZE(lathe_operand, 32);

PIN(lathe_attribute, struct_size, 0);
PIN(lathe_attribute, name, 8);
PIN(lathe_attribute, kind, 24);
PIN(lathe_attribute, reserved, 28);
PIN(lathe_attribute, integer, 32);
PIN(lathe_attribute, real, 40);
PIN(lathe_attribute, text, 48);
PIN(lathe_attribute, integers, 64);
PIN(lathe_attribute, reals, 72);
PIN(lathe_attribute, count, 80);
SIZE(lathe_attribute, 88);

PIN(lathe_constant, struct_size, 0);
PIN(lathe_constant, id, 8);
PIN(lathe_constant, reserved, 12);
PIN(lathe_constant, name, 16);
PIN(lathe_constant, type, 32);
SIZE(lathe_constant, 40);

PIN(lathe_op, struct_size, 0);
PIN(lathe_op, name, 8);
PIN(lathe_op, version, 24);
PIN(lathe_op, reserved, 28);
PIN(lathe_op, location, 32);
PIN(lathe_op, operands, 48);
PIN(lathe_op, operand_count, 56);
PIN(lathe_op, results, 64);
PIN(lathe_op, result_count, 72);
PIN(lathe_op, attributes, 80);
PIN(lathe_op, attribute_count, 88);
PIN(lathe_op, constant, 96);
PIN(lathe_op, kernel, 104);
SIZE(lathe_op, 112);

PIN(lathe_function, struct_size, 0);
PIN(lathe_function, name, 8);
PIN(lathe_function, max_rows, 24);
PIN(lathe_function, inputs, 32);
PIN(lathe_function, input_count, 40);
PIN(lathe_function, ops, 48);
PIN(lathe_function, op_count, 56);
PIN(lathe_function, results, 64);
PIN(lathe_function, result_count, 72);
PIN(lathe_function, tile_rows, 80);
PIN(lathe_function, tile_columns, 88);
SIZE(lathe_function, 96);

PIN(lathe_read_args, struct_size, 0);
PIN(lathe_read_args, next, 8);
PIN(lathe_read_args, constant, 16);
PIN(lathe_read_args, scales, 24);
PIN(lathe_read_args, reserved, 28);
PIN(lathe_read_args, offset, 32);
PIN(lathe_read_args, size, 40);
PIN(lathe_read_args, destination, 48);
SIZE(lathe_read_args, 56);

PIN(lathe_program, struct_size, 0);
PIN(lathe_program, next, 8);
PIN(lathe_program, functions, 16);
PIN(lathe_program, function_count, 24);
PIN(lathe_program, constants, 32);
PIN(lathe_program, constant_count, 40);
PIN(lathe_program, bytecode, 48);
PIN(lathe_program, bytecode_size, 56);
PIN(lathe_program, context, 64);
PIN(lathe_program, read, 72);
SIZE(lathe_program, 80);

PIN(lathe_target, struct_size, 0);
PIN(lathe_target, name, 8);
PIN(lathe_target, description, 24);
PIN(lathe_target, compatibility, 40);
PIN(lathe_target, details, 56);
PIN(lathe_target, memory_bytes, 72);
PIN(lathe_target, transfer_bandwidth, 80);
PIN(lathe_target, transfer_seconds, 88);
PIN(lathe_target, takes, 96);
PIN(lathe_target, reserved, 100);
PIN(lathe_target, tile_rows, 104);
PIN(lathe_target, tile_columns, 112);
SIZE(lathe_target, 120);

PIN(lathe_target_list_args, struct_size, 0);
PIN(lathe_target_list_args, next, 8);
PIN(lathe_target_list_args, targets, 16);
PIN(lathe_target_list_args, target_count, 24);
SIZE(lathe_target_list_args, 32);

PIN(lathe_support_args, struct_size, 0);
PIN(lathe_support_args, next, 8);
PIN(lathe_support_args, target, 16);
PIN(lathe_support_args, op, 24);
PIN(lathe_support_args, rows, 32);
PIN(lathe_support_args, keys, 40);
PIN(lathe_support_args, verdict, 48);
PIN(lathe_support_args, reason, 52);
PIN(lathe_support_args, seconds, 56);
PIN(lathe_support_args, text, 64);
PIN(lathe_support_args, points, 88);
PIN(lathe_support_args, converted_to, 96);
PIN(lathe_support_args, reserved, 100);
SIZE(lathe_support_args, 104);

PIN(lathe_compiled_entry, struct_size, 0);
PIN(lathe_compiled_entry, name, 8);
PIN(lathe_compiled_entry, scratch_bytes, 24);
SIZE(lathe_compiled_entry, 32);

PIN(lathe_packed_weight, struct_size, 0);
PIN(lathe_packed_weight, layout, 8);
PIN(lathe_packed_weight, constants, 24);
PIN(lathe_packed_weight, constant_count, 32);
PIN(lathe_packed_weight, size, 40);
PIN(lathe_packed_weight, alignment, 48);
SIZE(lathe_packed_weight, 56);

PIN(lathe_pack_args, struct_size, 0);
PIN(lathe_pack_args, next, 8);
PIN(lathe_pack_args, compiled, 16);
PIN(lathe_pack_args, program, 24);
PIN(lathe_pack_args, weight, 32);
PIN(lathe_pack_args, reserved, 36);
PIN(lathe_pack_args, offset, 40);
PIN(lathe_pack_args, size, 48);
PIN(lathe_pack_args, destination, 56);
SIZE(lathe_pack_args, 64);

PIN(lathe_compiled, struct_size, 0);
PIN(lathe_compiled, next, 8);
PIN(lathe_compiled, compatibility, 16);
PIN(lathe_compiled, code, 32);
PIN(lathe_compiled, code_size, 40);
PIN(lathe_compiled, entries, 48);
PIN(lathe_compiled, entry_count, 56);
PIN(lathe_compiled, weights, 64);
PIN(lathe_compiled, weight_count, 72);
PIN(lathe_compiled, state_bytes, 80);
PIN(lathe_compiled, details, 88);
PIN(lathe_compiled, pack, 104);
PIN(lathe_compiled, release, 112);
SIZE(lathe_compiled, 120);

PIN(lathe_compile_args, struct_size, 0);
PIN(lathe_compile_args, next, 8);
PIN(lathe_compile_args, target, 16);
PIN(lathe_compile_args, program, 24);
PIN(lathe_compile_args, progress, 32);
PIN(lathe_compile_args, context, 40);
PIN(lathe_compile_args, compiled, 48);
SIZE(lathe_compile_args, 56);

PIN(lathe_compile_api, struct_size, 0);
PIN(lathe_compile_api, next, 8);
PIN(lathe_compile_api, target_list, 16);
PIN(lathe_compile_api, supports, 24);
PIN(lathe_compile_api, compile, 32);
SIZE(lathe_compile_api, 40);

PIN(lathe_plugin, struct_size, 0);
PIN(lathe_plugin, next, 8);
PIN(lathe_plugin, abi_major, 16);
PIN(lathe_plugin, abi_minor, 20);
PIN(lathe_plugin, name, 24);
PIN(lathe_plugin, version, 40);
PIN(lathe_plugin, description, 56);
PIN(lathe_plugin, features, 72);
PIN(lathe_plugin, reserved, 76);
PIN(lathe_plugin, devices, 80);
PIN(lathe_plugin, compiler, 88);
PIN(lathe_plugin, unload, 96);
SIZE(lathe_plugin, 104);

PIN(lathe_plugin_entry_args, struct_size, 0);
PIN(lathe_plugin_entry_args, next, 8);
PIN(lathe_plugin_entry_args, host, 16);
PIN(lathe_plugin_entry_args, plugin, 24);
SIZE(lathe_plugin_entry_args, 32);

static_assert(LATHE_ERROR_INVALID_ARGUMENT == 3 && LATHE_ERROR_NOT_FOUND == 5 &&
              LATHE_ERROR_RESOURCE_EXHAUSTED == 8 && LATHE_ERROR_FAILED_PRECONDITION == 9 &&
              LATHE_ERROR_UNIMPLEMENTED == 12 && LATHE_ERROR_INTERNAL == 13 &&
              LATHE_ERROR_UNAVAILABLE == 14 && LATHE_ERROR_DATA_LOSS == 15);
static_assert(LATHE_LOG_DEBUG == 0 && LATHE_LOG_INFO == 1 && LATHE_LOG_WARNING == 2 &&
              LATHE_LOG_ERROR == 3);
static_assert(LATHE_COMPATIBILITY_OPTIMAL == 0 && LATHE_COMPATIBILITY_USABLE == 1 &&
              LATHE_COMPATIBILITY_NO == 2);
static_assert(LATHE_BUFFER_ZEROED == 1);
static_assert(LATHE_MAP_READ == 1 && LATHE_MAP_WRITE == 2);
static_assert(LATHE_COPY_TO_DEVICE == 0 && LATHE_COPY_TO_HOST == 1);
static_assert(LATHE_BIND_SCRATCH == 0 && LATHE_BIND_WEIGHTS == 1 && LATHE_BIND_STATE == 2 &&
              LATHE_BIND_COUNT == 3);
static_assert(LATHE_ELEMENT_NONE == 0 && LATHE_ELEMENT_F32 == 1 && LATHE_ELEMENT_F16 == 2 &&
              LATHE_ELEMENT_BF16 == 3 && LATHE_ELEMENT_I32 == 4 && LATHE_ELEMENT_I8 == 5 &&
              LATHE_ELEMENT_I4 == 6 && LATHE_ELEMENT_E4M3 == 7 && LATHE_ELEMENT_E5M2 == 8 &&
              LATHE_ELEMENT_E8M0 == 9);
static_assert(LATHE_TYPE_TENSOR == 1 && LATHE_TYPE_QUANTIZED == 2 && LATHE_TYPE_LATENT_CACHE == 3 &&
              LATHE_TYPE_KV_CACHE == 4);
static_assert(LATHE_EXTENT_ROWS == -1 && LATHE_EXTENT_OUTPUT_ROWS == -2);
static_assert(LATHE_ATTRIBUTE_INTEGER == 1 && LATHE_ATTRIBUTE_REAL == 2 &&
              LATHE_ATTRIBUTE_TEXT == 3 && LATHE_ATTRIBUTE_INTEGERS == 4 &&
              LATHE_ATTRIBUTE_REALS == 5);
static_assert(LATHE_TAKES_OPS == 1 && LATHE_TAKES_PARTITIONS == 2 && LATHE_TAKES_TILES == 4);
static_assert(LATHE_MAX_TILE == 4096);
static_assert(LATHE_SUPPORT_NO == 0 && LATHE_SUPPORT_YES == 1 && LATHE_SUPPORT_CONVERTED == 2);
static_assert(LATHE_REASON_NONE == 0 && LATHE_REASON_UNSUPPORTED_OP == 1 &&
              LATHE_REASON_UNSUPPORTED_TYPE == 2 && LATHE_REASON_SHAPE_LIMIT == 3 &&
              LATHE_REASON_NOT_WORTH_IT == 4 && LATHE_REASON_VENDOR == 1000);
static_assert(LATHE_FEATURE_ASAN == 1 && LATHE_FEATURE_TSAN == 2);

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
