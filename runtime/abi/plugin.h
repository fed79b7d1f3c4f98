// The border of Lathe: how a shared library brings devices, a compiler for them, or both. C11,
// standalone: a plugin includes this header and nothing else of Lathe.
//
// A plugin exports one symbol, `lathe_plugin_entry`, and answers with two tables, each optional:
//
//   the device half    what a device is, its memory, its code, how code runs on it    (runtime)
//   the compile half   what it takes of a model, and code made of it                  (compiler)
//
// The host's CPU stands behind the same device table as any other device.
//
// Rules, for both sides:
//  - `struct_size` is the first field of every struct that may grow: sizeof as its writer was
//  built.
//    A reader treats what lies past it as NULL or 0. Whoever fills in a struct of the other side
//    sets no byte past the struct_size that it found there.
//  - Fields are appended, never moved, never given another meaning. Offsets are pinned by a test;
//    CHANGELOG.md says what came with which version.
//  - The same LATHE_ABI_MAJOR on both sides, or the plugin is refused. Another minor is fine.
//  - `next` is NULL, or a chain of extensions, each beginning with a lathe_extension.
//  - A NULL function means that the ability is not there; each says what holds then.
//  - What is handed in is borrowed for the call, what is handed out belongs to the caller, unless a
//    field says otherwise. `in`, `out`: as the function sees it.
//  - Nothing throws or long-jumps across this border. Text is UTF-8 with a length. Sizes are bytes,
//    times are seconds.
//  - Every function may be called from any thread, several at once, unless it says otherwise.
//  - The process is the host's: a plugin neither ends nor forks it, changes nothing about signals and
//    leaves no thread running when it is unloaded.
#ifndef LATHE_RUNTIME_ABI_PLUGIN_H
#define LATHE_RUNTIME_ABI_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LATHE_ABI_MAJOR 1
#define LATHE_ABI_MINOR 2

// Whether a struct, by what its struct_size says, holds the field.
#define LATHE_HAS_FIELD(type, pointer, field)                                                      \
  ((pointer)->struct_size >= offsetof(type, field) + sizeof((pointer)->field))

// ---- Texts, errors, extensions ------------------------------------------------------------------

// Passed by value and in arrays: never grows.
typedef struct lathe_string {
  const char *data; // not terminated; NULL where size is 0
  size_t size;      // bytes
} lathe_string;

// The numbers are those of absl::StatusCode and of gRPC.
enum {
  LATHE_ERROR_INVALID_ARGUMENT = 3, // the call makes no sense, whatever the device's condition
  LATHE_ERROR_NOT_FOUND = 5,
  LATHE_ERROR_RESOURCE_EXHAUSTED = 8, // memory
  LATHE_ERROR_FAILED_PRECONDITION = 9,
  LATHE_ERROR_UNIMPLEMENTED = 12, // can never be done here
  LATHE_ERROR_INTERNAL = 13,
  LATHE_ERROR_UNAVAILABLE = 14, // the device is lost or busy
  LATHE_ERROR_DATA_LOSS = 15    // bytes that are damaged
};

// Why a call failed. Owned by the caller of the function that returned it.
typedef struct lathe_error {
  size_t struct_size;
  uint32_t code; // one of the above; others count as INTERNAL
  uint32_t reserved;
  lathe_string message;                  // where: what it is; what to do. Valid until release
  void (*release)(struct lathe_error *); // never NULL
} lathe_error;

// The head of a struct in a `next` chain. Whoever does not know `type` goes on to the next one.
typedef struct lathe_extension {
  size_t struct_size;
  const void *next;
  lathe_string type; // "vendor.what", unique by the vendor's name
} lathe_extension;

// Room for a short text that the other side writes: as much as fits, and the size of all of it.
// Stands inside of other structs: never grows.
typedef struct lathe_text_out {
  char *data;      // in, may be NULL; out, min(capacity, size) bytes, not terminated
  size_t capacity; // in
  size_t size;     // out
} lathe_text_out;

// ---- What the host offers -----------------------------------------------------------------------

enum { LATHE_LOG_DEBUG = 0, LATHE_LOG_INFO = 1, LATHE_LOG_WARNING = 2, LATHE_LOG_ERROR = 3 };

typedef void (*lathe_task)(void *context, int64_t begin, int64_t end);

// Lives as long as the plugin is loaded. A plugin reads no environment variable and starts no
// output of its own: it asks here.
typedef struct lathe_host {
  size_t struct_size;
  const void *next;
  uint32_t abi_major, abi_minor; // of the header that the host was built with
  lathe_string name;             // "lathe"
  lathe_string version;          // "0.1.0"
  void *context;                 // handed to the functions below
  // NULL: nobody listens. A line of text without its end.
  void (*log)(void *context, uint32_t level, lathe_string text);
  // NULL: there are no options. What the user set for this plugin ("--plugin-option NAME=VALUE");
  // borrowed for as long as the plugin is loaded, data NULL where it was not set.
  lathe_string (*option)(void *context, lathe_string name);
  // NULL: run it yourself. Runs task over items [0, count), each exactly once, on the host's
  // threads, and returns when all are done. Not from within a task.
  void (*parallel)(void *context, lathe_task task, void *task_context, int64_t count);
} lathe_host;

// ---- Device half: what a device is --------------------------------------------------------------

typedef struct lathe_device lathe_device;         // made by the plugin
typedef struct lathe_buffer lathe_buffer;         // memory of one device
typedef struct lathe_executable lathe_executable; // code loaded onto one device
typedef struct lathe_queue lathe_queue;           // work of one device, in order
typedef struct lathe_event lathe_event;           // a counter of one device that only rises

// A piece of hardware that the host found. The host looks, the plugin claims.
typedef struct lathe_hardware {
  size_t struct_size;
  uint32_t vendor_id, device_id; // PCI
  uint32_t class_code;           // PCI: class, subclass, interface
  uint32_t numa_node;            // UINT32_MAX where unknown
  lathe_string path;             // "/sys/bus/pci/devices/0000:3b:00.0"
} lathe_hardware;

typedef struct lathe_device_list_args {
  size_t struct_size;
  const void *next;
  const lathe_hardware *const *hardware; // in
  size_t hardware_count;                 // in
  uint32_t device_count;                 // out, those that device_open takes: [0, device_count)
  uint32_t reserved;
} lathe_device_list_args;

typedef struct lathe_device_open_args {
  size_t struct_size;
  const void *next;
  uint32_t index; // in
  uint32_t reserved;
  lathe_device *device; // out, owned by the caller; close with device_close
} lathe_device_open_args;

typedef struct lathe_device_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
} lathe_device_args;

typedef struct lathe_device_properties {
  size_t struct_size;         // in
  lathe_string name;          // out, "AMD EPYC 7763"; these live as long as the device
  lathe_string kind;          // out, "cpu", "gpu", "npu"
  lathe_string compatibility; // out, what code it takes: "arch=x86_64;features=avx2,fma"
  lathe_string level;         // out, the best target name it takes: "x86-64-v3", "ascend-910b"
  lathe_string details;       // out, a JSON object with all else, for people; may be empty
  uint64_t memory_bytes;      // out, 0 where unknown
  uint64_t import_alignment;  // out, of memory given to buffer_import
  uint32_t parallelism;       // out, what runs at once: threads, cores
  uint32_t host_visible;      // out, 1 if buffer_map costs nothing (memory shared with the host)
  uint32_t simulated;         // out, 1 if no such chip is there and a program plays its part
  uint32_t reserved;
} lathe_device_properties;

typedef struct lathe_device_properties_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;                // in
  lathe_device_properties *properties; // out, the caller's; its struct_size is set by the caller
} lathe_device_properties_args;

// Whether code with a compatibility string runs here, judged without the code.
enum {
  LATHE_COMPATIBILITY_OPTIMAL = 0, // it uses what this device has
  LATHE_COMPATIBILITY_USABLE = 1,  // it runs, but code for a better level would run faster
  LATHE_COMPATIBILITY_NO = 2       // it does not run
};

typedef struct lathe_compatibility_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;       // in
  lathe_string compatibility; // in, a target's string
  uint32_t verdict;           // out
  uint32_t rank;              // out, of codes that run here the one with the highest rank is best
  lathe_text_out reason;      // out, why the verdict is not OPTIMAL
} lathe_compatibility_args;

// ---- Device half: memory ------------------------------------------------------------------------

enum { LATHE_BUFFER_ZEROED = 1 }; // flags: the memory reads as zero

typedef struct lathe_buffer_allocate_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
  uint64_t size;        // in, 0 is allowed
  uint64_t alignment;   // in, a power of two up to 4096
  uint32_t flags;       // in
  uint32_t reserved;
  lathe_buffer *buffer; // out, owned by the caller; release with buffer_release
} lathe_buffer_allocate_args;

typedef struct lathe_buffer_import_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
  const void *memory;   // in, borrowed until the buffer is released; read-only for the device
  uint64_t size;        // in
  lathe_buffer *buffer; // out, owned by the caller
} lathe_buffer_import_args;

enum { LATHE_MAP_READ = 1, LATHE_MAP_WRITE = 2 };

typedef struct lathe_buffer_map_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
  lathe_buffer *buffer; // in
  uint32_t access;      // in, bits of LATHE_MAP_*
  uint32_t reserved;
  void *memory; // out, the buffer's bytes, until buffer_unmap
} lathe_buffer_map_args;

typedef struct lathe_buffer_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
  lathe_buffer *buffer; // in
} lathe_buffer_args;

// A part of a buffer; `offset` is a multiple of 64. In arrays: never grows.
typedef struct lathe_binding {
  lathe_buffer *buffer;
  uint64_t offset, size;
} lathe_binding;

// ---- Device half: queues and events -------------------------------------------------------------

// A point in time: an event's counter reaches a value. In arrays: never grows.
typedef struct lathe_point {
  lathe_event *event; // NULL: no point
  uint64_t value;
} lathe_point;

// When work runs. All zero: now, and the call returns when the work is done. Without a queue the
// call itself waits for what it waits for. The signal is set when the work has ended, well or not,
// so that whoever waits wakes up and asks queue_error; what is behind failed work still runs.
// Stands inside of other structs: never grows.
typedef struct lathe_order {
  lathe_queue *queue;       // in, behind all that is in it; NULL: no queue
  const lathe_point *waits; // in, of events of the same device
  size_t wait_count;        // in
  lathe_point signal;       // in, set when the work is done
} lathe_order;

typedef struct lathe_queue_create_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
  lathe_queue *queue;   // out, owned by the caller; released when its work is done
} lathe_queue_create_args;

typedef struct lathe_queue_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
  lathe_queue *queue;   // in
} lathe_queue_args;

typedef struct lathe_event_create_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
  uint64_t value;       // in, what it begins with
  lathe_event *event;   // out, owned by the caller
} lathe_event_create_args;

typedef struct lathe_event_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
  lathe_event *event;   // in
} lathe_event_args;

typedef struct lathe_event_wait_args {
  size_t struct_size;
  const void *next;
  lathe_device *device; // in
  lathe_event *event;   // in
  uint64_t value;       // in
  double timeout;       // in, seconds; 0: only look; negative: for ever
  uint64_t reached;     // out, the counter; below `value` when the time is over
} lathe_event_wait_args;

enum { LATHE_COPY_TO_DEVICE = 0, LATHE_COPY_TO_HOST = 1 };

typedef struct lathe_copy_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;      // in
  lathe_binding device_part; // in, may have no bytes: the copy waits and signals only
  void *host_memory;         // in, as many bytes as the part has; borrowed until the copy is done
  uint32_t direction;
  uint32_t reserved;
  lathe_order order; // in
} lathe_copy_args;

// ---- Device half: code --------------------------------------------------------------------------

typedef struct lathe_executable_load_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;       // in
  const void *code;           // in
  uint64_t size;              // in
  lathe_string compatibility; // in, the target's string
  // In, where the packed weights of lathe_compiled stand in LATHE_BIND_WEIGHTS, in its order.
  const uint64_t *weight_offsets;
  size_t weight_count;
  lathe_executable *executable; // out, owned by the caller; release with executable_release
} lathe_executable_load_args;

typedef struct lathe_executable_entry_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;         // in
  lathe_executable *executable; // in
  lathe_string name;            // in, "decode"
  uint32_t entry;               // out, the number that run takes
  uint32_t reserved;
} lathe_executable_entry_args;

typedef struct lathe_executable_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;         // in
  lathe_executable *executable; // in
} lathe_executable_args;

// An entry gets its function's inputs that are no cache, then its results that are no cache, then
// the three below, each of size 0 where the code needs none.
//
// An input or a result stands in its binding row by row without gaps, four bytes a number: f32 or
// i32. Rows of bf16 never cross: they are values inside of a function, what "lathe.cast" gives and a
// product takes, each the f32 rounded to nearest even, and where they stand is the code's business.
//
// Of a result the rows of the run are written, all of them. Bytes behind them stay as they are,
// though the binding may have room for max_rows.
enum {
  LATHE_BIND_SCRATCH = 0, // as large as the entry says; its contents mean nothing between runs
  LATHE_BIND_WEIGHTS = 1, // all packed weights, read-only
  LATHE_BIND_STATE = 2,   // the session's caches, as large as lathe_compiled says; at first zero
  LATHE_BIND_COUNT = 3
};

typedef struct lathe_run_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;          // in
  lathe_executable *executable;  // in
  uint32_t entry;                // in
  uint32_t binding_count;        // in
  const lathe_binding *bindings; // in, none mapped for writing elsewhere, no two overlap
  int64_t rows;                  // in, new tokens: 1 to the function's max_rows
  int64_t output_rows;           // in, rows whose logits are wanted, 0 to rows
  lathe_order order;             // in
  // In, NULL: nobody looks, as with a queue. Called on the calling thread each time that a part of
  // the entry is done, with a label that says what it was ("linear 2048x1408 f8e4m3"), borrowed for
  // the call. A device that knows no parts never calls it.
  void (*observe)(void *observer, lathe_string label);
  void *observer;
} lathe_run_args;

// ---- Device half: the table ---------------------------------------------------------------------

// Every function returns NULL, or an error that the caller owns. A buffer, an executable, a queue
// or an event must not be released while another call uses it. Releasing NULL is fine.
typedef struct lathe_device_api {
  size_t struct_size;
  const void *next;

  // Required.
  lathe_error *(*device_list)(lathe_device_list_args *args);
  // INVALID_ARGUMENT: an index that was not listed. UNAVAILABLE: the device is in use or gone.
  lathe_error *(*device_open)(lathe_device_open_args *args);
  lathe_error *(*device_close)(lathe_device_args *args);
  lathe_error *(*properties)(lathe_device_properties_args *args);
  // RESOURCE_EXHAUSTED: no block of `size` bytes. INVALID_ARGUMENT: an alignment it cannot give.
  lathe_error *(*buffer_allocate)(lathe_buffer_allocate_args *args);
  lathe_error *(*buffer_release)(lathe_buffer_args *args);
  // The CPU's address of a buffer; what was written is seen by runs after buffer_unmap.
  lathe_error *(*buffer_map)(lathe_buffer_map_args *args);
  lathe_error *(*buffer_unmap)(lathe_buffer_args *args);
  // INVALID_ARGUMENT: not code of this device. FAILED_PRECONDITION: needs features it lacks.
  lathe_error *(*executable_load)(lathe_executable_load_args *args);
  lathe_error *(*executable_release)(lathe_executable_args *args);
  // NOT_FOUND: no entry of that name; the message lists those that there are.
  lathe_error *(*executable_entry)(lathe_executable_entry_args *args);
  // Runs an entry. Without a queue, runs on one device follow each other.
  lathe_error *(*run)(lathe_run_args *args);

  // Optional.
  // NULL: the strings must be equal, then OPTIMAL; otherwise NO.
  lathe_error *(*compatibility)(lathe_compatibility_args *args);
  // NULL: the runtime allocates and copies. INVALID_ARGUMENT: memory not aligned as properties say.
  lathe_error *(*buffer_import)(lathe_buffer_import_args *args);
  // Makes the buffer read as zero. NULL: the runtime maps it and writes zeros.
  lathe_error *(*buffer_clear)(lathe_buffer_args *args);
  // Between host memory and a buffer. NULL: the runtime maps the buffer.
  lathe_error *(*copy)(lathe_copy_args *args);
  // All six or none; none: all work is done when its call returns, and order is always zero.
  lathe_error *(*queue_create)(lathe_queue_create_args *args);
  lathe_error *(*queue_release)(lathe_queue_args *args);
  lathe_error *(*event_create)(lathe_event_create_args *args);
  lathe_error *(*event_release)(lathe_event_args *args);
  // Waits on the calling thread.
  lathe_error *(*event_wait)(lathe_event_wait_args *args);
  // Work that failed after its call had returned: the first error, then none. Asked for when a wait
  // is over.
  lathe_error *(*queue_error)(lathe_queue_args *args);
} lathe_device_api;

// ---- Compile half: a program as the host shows it -----------------------------------------------
//
// Everything below up to lathe_program is the host's, read-only, and lives for the call that hands
// the program or the op in. Arrays hold pointers, so that what they point to can grow.

// Elements of tensors, codes and scales. Numbers are only ever added.
enum {
  LATHE_ELEMENT_NONE = 0,
  LATHE_ELEMENT_F32 = 1,
  LATHE_ELEMENT_F16 = 2,
  LATHE_ELEMENT_BF16 = 3,
  LATHE_ELEMENT_I32 = 4,
  LATHE_ELEMENT_I8 = 5,
  LATHE_ELEMENT_I4 = 6,   // two's complement, two a byte, the lower half first
  LATHE_ELEMENT_E4M3 = 7, // FP8 without infinities, NaN 0x7f and 0xff
  LATHE_ELEMENT_E5M2 = 8,
  LATHE_ELEMENT_E8M0 = 9 // scales: 2^(code - 127), 0xff NaN
};

enum {
  LATHE_TYPE_TENSOR = 1,
  LATHE_TYPE_QUANTIZED = 2,    // codes, and a scale for each block of them
  LATHE_TYPE_LATENT_CACHE = 3, // [slots, max_context, kv_lora_rank + rope_dim]
  LATHE_TYPE_KV_CACHE = 4      // [slots, max_context, kv_heads, key_dim | value_dim]
};

// First extents that are known when a step runs: `rows` or `output_rows` of lathe_run_args, times
// the type's row_factor.
enum { LATHE_EXTENT_ROWS = -1, LATHE_EXTENT_OUTPUT_ROWS = -2 };

typedef struct lathe_type {
  size_t struct_size;
  uint32_t kind;        // LATHE_TYPE_*
  uint32_t element;     // of codes where quantised
  const int64_t *shape; // extents, the first one perhaps a LATHE_EXTENT_*; of a cache NULL
  size_t rank;
  int64_t row_factor; // what an extent of rows is multiplied by: experts a token, or 1
  // Quantised: element (.., i, j) is f32(code) * f32(scale[.., i / block_rows, j / block_columns]).
  int64_t block_rows, block_columns;
  uint32_t scale_element;
  uint32_t reserved;
  // Caches.
  int64_t slots, max_context, kv_lora_rank, rope_dim, kv_heads, key_dim, value_dim;
} lathe_type;

// What an op takes and gives, once computed and never changed. An op that takes a cache gives it
// back: the value that comes out is the same memory.
typedef struct lathe_value {
  size_t struct_size;
  uint32_t id;        // unique in its function, counted from 0
  uint32_t is_unused; // 1: no op and no result of the function takes it
  const lathe_type *type;
} lathe_value;

// A value in its part in an op: "x", "weight", "bias". A part that takes several has as many of the
// same name in a row; one that may be left out is not there then.
typedef struct lathe_operand {
  size_t struct_size;
  lathe_string name;
  const lathe_value *value;
} lathe_operand;

enum {
  LATHE_ATTRIBUTE_INTEGER = 1,
  LATHE_ATTRIBUTE_REAL = 2,
  LATHE_ATTRIBUTE_TEXT = 3,
  LATHE_ATTRIBUTE_INTEGERS = 4,
  LATHE_ATTRIBUTE_REALS = 5
};

// "epsilon", "routing.top_k". One that may be left out is not there then.
typedef struct lathe_attribute {
  size_t struct_size;
  lathe_string name;
  uint32_t kind;
  uint32_t reserved;
  int64_t integer; // also of booleans, 0 or 1
  double real;
  lathe_string text;
  const int64_t *integers;
  const double *reals;
  size_t count; // of integers or reals
} lathe_attribute;

// A weight by reference. Its bytes stay in the checkpoint until somebody reads them.
typedef struct lathe_constant {
  size_t struct_size;
  uint32_t id; // its place in lathe_program.constants
  uint32_t reserved;
  lathe_string name;      // "layers.0.q_proj"
  const lathe_type *type; // row-major; codes and scales are two arrays. The program's type: what
                          // the checkpoint holds in another one is converted when it is read
} lathe_constant;

typedef struct lathe_op {
  size_t struct_size;
  lathe_string name; // "lathe.rms_norm"; the formula is in the reference of the dialect
  // Of the op's meaning: 1 as first published, more with each operand or attribute that changes
  // results and came later. Whoever does not know the version refuses the op.
  uint32_t version;
  uint32_t reserved;
  lathe_string location; // where in the model, for people: "layers.3"
  const lathe_operand *const *operands;
  size_t operand_count;
  const lathe_operand *const *results;
  size_t result_count;
  const lathe_attribute *const *attributes; // in rising order of their names
  size_t attribute_count;
  const lathe_constant *constant; // of "lathe.weight", otherwise NULL
  // Since 1.1. Of "tile.launch", otherwise NULL: what it runs at each point of its grid.
  const struct lathe_function *kernel;
} lathe_op;

// What makes an entry of the code, or a kernel.
typedef struct lathe_function {
  size_t struct_size;
  lathe_string name;                  // "decode", "prefill": the entry to make of it
  int64_t max_rows;                   // rows of a run: 1 to this many
  const lathe_operand *const *inputs; // named; caches are named alike in every function
  size_t input_count;
  const lathe_op *const *ops; // each after those whose results it takes
  size_t op_count;
  const lathe_operand *const *results;
  size_t result_count;
  // Since 1.1. Of a kernel, otherwise 0: the rows and columns of the one tile that it gives. It takes
  // the tensors of its launch; all that its ops give are tiles, whose extents are constants. Several
  // launches may have one kernel. Its max_rows is 0.
  int64_t tile_rows, tile_columns;
} lathe_function;

typedef struct lathe_read_args {
  size_t struct_size;
  const void *next;
  const lathe_constant *constant; // in
  uint32_t scales;                // in, 0: the elements or codes; 1: the scales of codes
  uint32_t reserved;
  uint64_t offset, size; // in, of the row-major array
  void *destination;     // out
} lathe_read_args;

typedef struct lathe_program {
  size_t struct_size;
  const void *next;
  const lathe_function *const *functions;
  size_t function_count;
  const lathe_constant *const *constants;
  size_t constant_count;
  const void *bytecode; // the same program as MLIR bytecode of the dialect, for who links MLIR
  size_t bytecode_size;
  void *context; // handed to read
  // Bytes of a constant; from any thread. INVALID_ARGUMENT: beyond its end. UNAVAILABLE: the
  // checkpoint is gone.
  lathe_error *(*read)(void *context, lathe_read_args *args);
} lathe_program;

// ---- Compile half: targets, capabilities, code --------------------------------------------------

// What can be handed over at once.
enum {
  // Programs whose functions have a single op each, beside the lathe.weight ops that it takes:
  // whoever brings kernels for whole ops. With LATHE_TAKES_PARTITIONS the bit says nothing more.
  LATHE_TAKES_OPS = 1,
  LATHE_TAKES_PARTITIONS = 2, // programs of any ops that it takes
  // Since 1.1. Programs of "lathe.weight" and "tile.launch" ops only, of kernels over tiles whose ops
  // it takes: whoever makes code for tiles and knows no op of a model. Whatever other bits there are,
  // such a target is asked about ops on tiles alone.
  LATHE_TAKES_TILES = 4
};

enum { LATHE_MAX_TILE = 4096 };

// A chip that code can be made for, whether one is there or not.
typedef struct lathe_target {
  size_t struct_size;
  lathe_string name;          // "ascend-910b"; users write "npu:ascend-910b"
  lathe_string description;   // one line for people
  lathe_string compatibility; // what its code will carry
  lathe_string details;       // a JSON object with all else, for people; may be empty
  uint64_t memory_bytes;      // 0 where unknown
  double transfer_bandwidth;  // bytes/s between it and the host; 0 where unknown
  double transfer_seconds;    // what each transfer costs beside its bytes
  uint32_t takes;             // bits of LATHE_TAKES_*
  uint32_t reserved;
  // Since 1.1. Where it takes tiles: how large they are where the result is as large; 0: 16 and 64.
  // At most LATHE_MAX_TILE. A tile is wider where a sum needs all columns.
  int64_t tile_rows, tile_columns;
} lathe_target;

typedef struct lathe_target_list_args {
  size_t struct_size;
  const void *next;
  const lathe_target *const *targets; // out, live as long as the plugin
  size_t target_count;                // out
} lathe_target_list_args;

enum {
  LATHE_SUPPORT_NO = 0,
  LATHE_SUPPORT_YES = 1,
  LATHE_SUPPORT_CONVERTED = 2 // with values rounded to another type: converted_to
};

// Why not. A plugin's own codes begin at LATHE_REASON_VENDOR.
enum {
  LATHE_REASON_NONE = 0,
  LATHE_REASON_UNSUPPORTED_OP = 1,
  LATHE_REASON_UNSUPPORTED_TYPE = 2,
  LATHE_REASON_SHAPE_LIMIT = 3,
  LATHE_REASON_NOT_WORTH_IT = 4,
  LATHE_REASON_VENDOR = 1000
};

typedef struct lathe_support_args {
  size_t struct_size;
  const void *next;
  const lathe_target *target; // in, one of target_list
  const lathe_op *op;         // in
  int64_t rows;               // in, to judge the costs for
  int64_t keys;               // in, that a row sees of a cache
  uint32_t verdict;           // out, LATHE_SUPPORT_*
  uint32_t reason;            // out, LATHE_REASON_*, of a NO
  double seconds;             // out, that the op will take; 0: none, or nobody knows
  lathe_text_out text;        // out, for people: "head_dim 576 is more than 512"
  // Since 1.1. In, of a launch and of an op of a kernel, otherwise 0: the points of the grid. The
  // seconds are then those of the op at all of them.
  int64_t points;
  // Since 1.2. Out, LATHE_ELEMENT_*, of a CONVERTED: what is rounded to it before it is used. NONE: a
  // type that is not listed, which the text names ("tf32").
  uint32_t converted_to;
  uint32_t reserved;
} lathe_support_args;

// How an entry of the code is called.
typedef struct lathe_compiled_entry {
  size_t struct_size;
  lathe_string name;      // the function's
  uint64_t scratch_bytes; // of LATHE_BIND_SCRATCH
} lathe_compiled_entry;

// A weight as the code wants it.
typedef struct lathe_packed_weight {
  size_t struct_size;
  lathe_string layout;       // what pack does; equal layouts of equal sources share their bytes
  const uint32_t *constants; // ids of its sources
  size_t constant_count;
  uint64_t size;
  uint64_t alignment; // a power of two up to 4096
} lathe_packed_weight;

struct lathe_compiled;

typedef struct lathe_pack_args {
  size_t struct_size;
  const void *next;
  struct lathe_compiled *compiled; // in
  const lathe_program *program;    // in, the one that was compiled
  uint32_t weight;                 // in, index into lathe_compiled.weights
  uint32_t reserved;
  uint64_t offset, size; // in, the part of the packed weight that is wanted; asked for in order
  void *destination;     // out
} lathe_pack_args;

// Code, and what it needs. The plugin's; lives until release.
typedef struct lathe_compiled {
  size_t struct_size;
  const void *next;
  lathe_string compatibility;
  const void *code;
  size_t code_size;
  const lathe_compiled_entry *const *entries; // one for each function
  size_t entry_count;
  const lathe_packed_weight *const *weights;
  size_t weight_count;
  uint64_t state_bytes; // of LATHE_BIND_STATE: all caches of all functions
  lathe_string details; // a JSON object for people: what was converted, tilings; may be empty
  // NULL where there are no weights. From several threads for different weights.
  lathe_error *(*pack)(lathe_pack_args *args);
  void (*release)(struct lathe_compiled *); // never NULL
} lathe_compiled;

typedef struct lathe_compile_args {
  size_t struct_size;
  const void *next;
  const lathe_target *target;   // in, one of target_list
  const lathe_program *program; // in, lives until `compiled` is released
  // In, NULL: nobody looks. Told how far it is, 0 to 1; nonzero: stop, with UNAVAILABLE.
  int (*progress)(void *context, double done);
  void *context;
  lathe_compiled *compiled; // out, owned by the caller
} lathe_compile_args;

typedef struct lathe_compile_api {
  size_t struct_size;
  const void *next;

  // Required.
  lathe_error *(*target_list)(lathe_target_list_args *args);
  // A verdict is no error: an error means that the question made no sense.
  lathe_error *(*supports)(lathe_support_args *args);
  // Every op of the program has been answered with a yes, but for two that nobody is asked about:
  // lathe.weight, and lathe.slice, which is a view of its input. FAILED_PRECONDITION: not in this
  // company; the message says why, and the host places the ops elsewhere.
  lathe_error *(*compile)(lathe_compile_args *args);
} lathe_compile_api;

// ---- The plugin ---------------------------------------------------------------------------------

// What the binary was built with; the host refuses what it cannot work beside.
enum { LATHE_FEATURE_ASAN = 1, LATHE_FEATURE_TSAN = 2 };

// Lives until unload.
typedef struct lathe_plugin {
  size_t struct_size;
  const void *next;
  uint32_t abi_major, abi_minor; // of the header that the plugin was built with
  lathe_string name;             // "npu": letters, digits, '-', '_'; begins targets and devices
  lathe_string version;          // "1.2.0"
  lathe_string description;      // one line for people
  uint32_t features;             // bits of LATHE_FEATURE_*
  uint32_t reserved;
  const lathe_device_api *devices;   // NULL: no device half
  const lathe_compile_api *compiler; // NULL: no compile half
  // NULL: nothing to do. Called once, when nothing of the plugin is in use any more.
  void (*unload)(void);
} lathe_plugin;

// The head of these arguments and the head of lathe_host up to abi_minor keep their place in every
// version: a plugin of any age can read who calls.
typedef struct lathe_plugin_entry_args {
  size_t struct_size;
  const void *next;
  const lathe_host *host;     // in, lives until unload
  const lathe_plugin *plugin; // out
} lathe_plugin_entry_args;

#define LATHE_PLUGIN_SYMBOL "lathe_plugin_entry"
// The one exported symbol. A plugin looks at the host's abi_major first and answers
// FAILED_PRECONDITION with both versions in the message where it is not its own. Called once for
// each time that the library is loaded.
typedef lathe_error *(*lathe_plugin_entry_fn)(lathe_plugin_entry_args *args);

#if defined(_WIN32)
#define LATHE_PLUGIN_EXPORT __declspec(dllexport)
#else
#define LATHE_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
}
#endif
#endif
