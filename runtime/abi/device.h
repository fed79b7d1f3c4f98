// The table of functions through which the runtime uses a device. C11, standalone.
//
// The host's CPU stands behind it as any other device does. Rules, for both sides:
//  - `struct_size` is the first field of every struct: sizeof as its writer was built. A reader
//  treats
//    what lies past it as NULL or 0; whoever fills in a struct of the other side writes no byte
//    past it.
//  - Fields are appended, never moved, never given another meaning. Offsets are pinned by a test.
//  - A NULL entry of the table means that the device lacks that ability; each says what holds then.
//  - The same LATHE_DEVICE_ABI_MAJOR on both sides, or the device is refused. Another minor is
//  fine.
//  - Nothing throws or long-jumps across this border. Text is UTF-8 with a length.
#ifndef LATHE_RUNTIME_ABI_DEVICE_H
#define LATHE_RUNTIME_ABI_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LATHE_DEVICE_ABI_MAJOR 1
#define LATHE_DEVICE_ABI_MINOR 1

// Whether a struct, by what its struct_size says, holds the field.
#define LATHE_HAS_FIELD(type, pointer, field)                                                      \
  ((pointer)->struct_size >= offsetof(type, field) + sizeof((pointer)->field))

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
  LATHE_ERROR_UNIMPLEMENTED = 12, // the device can never do this
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

typedef struct lathe_device lathe_device;         // made by whoever hands out the table
typedef struct lathe_buffer lathe_buffer;         // memory of one device
typedef struct lathe_executable lathe_executable; // code loaded onto one device

// ---- What a device is -------------------------------------------------------------------------

typedef struct lathe_device_properties {
  size_t struct_size;         // in
  lathe_string name;          // out, "AMD EPYC 7763"; borrowed, as long as the device lives
  lathe_string kind;          // out, "cpu", "gpu", "npu"; borrowed
  lathe_string compatibility; // out, what code it takes: "arch=x86_64;features=avx2,fma"; borrowed
  lathe_string level;         // out, the best target name it takes: "x86-64-v3"; borrowed
  uint64_t memory_bytes;      // out, 0 where unknown
  uint32_t parallelism;       // out, what runs at once: threads, cores
  uint32_t host_visible;      // out, 1 if buffer_map costs nothing (memory shared with the host)
  uint64_t import_alignment;  // out, bytes; of memory given to buffer_import
} lathe_device_properties;

typedef struct lathe_device_properties_args {
  size_t struct_size;
  const void *next;                    // in, optional: chain of extensions
  lathe_device *device;                // in, borrowed for the call
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
  lathe_device *device;
  lathe_string compatibility; // in, a target's string
  uint32_t verdict;           // out
  uint32_t rank;              // out, of codes that run here the one with the highest rank is best
  char *reason;               // in, room for text, may be NULL; out, why the verdict is not OPTIMAL
  size_t reason_capacity;     // in, bytes
  size_t reason_size; // out, bytes of the whole reason, more than the capacity if it was cut
} lathe_compatibility_args;

// ---- Memory -----------------------------------------------------------------------------------

enum { LATHE_BUFFER_ZEROED = 1 }; // flags: the memory reads as zero

typedef struct lathe_buffer_allocate_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;
  uint64_t size;      // in, bytes; 0 is allowed
  uint64_t alignment; // in, bytes, a power of two up to 4096
  uint32_t flags;     // in
  uint32_t reserved;
  lathe_buffer *buffer; // out, owned by the caller; release with buffer_release
} lathe_buffer_allocate_args;

typedef struct lathe_buffer_import_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;
  const void *memory;   // in, borrowed until the buffer is released; read-only for the device
  uint64_t size;        // in, bytes
  lathe_buffer *buffer; // out, owned by the caller
} lathe_buffer_import_args;

enum { LATHE_MAP_READ = 1, LATHE_MAP_WRITE = 2 };

typedef struct lathe_buffer_map_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;
  lathe_buffer *buffer;
  uint32_t access; // in, bits of LATHE_MAP_*
  uint32_t reserved;
  void *memory; // out, the buffer's bytes, until buffer_unmap
} lathe_buffer_map_args;

typedef struct lathe_buffer_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;
  lathe_buffer *buffer;
} lathe_buffer_args;

// ---- Code -------------------------------------------------------------------------------------

typedef struct lathe_executable_load_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;
  const void *code;             // in, borrowed for the call
  uint64_t size;                // in, bytes
  lathe_string compatibility;   // in, the target's string
  lathe_executable *executable; // out, owned by the caller; release with executable_release
} lathe_executable_load_args;

typedef struct lathe_executable_entry_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;
  lathe_executable *executable;
  lathe_string name; // in, "decode"
  uint32_t entry;    // out, the number that run takes
  uint32_t reserved;
} lathe_executable_entry_args;

typedef struct lathe_executable_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;
  lathe_executable *executable;
} lathe_executable_args;

typedef struct lathe_run_args {
  size_t struct_size;
  const void *next;
  lathe_device *device;
  lathe_executable *executable;
  uint32_t entry;
  uint32_t buffer_count;
  lathe_buffer *const *buffers; // in, in the entry's order, none mapped for writing elsewhere
  int64_t rows;                 // in, new tokens
  int64_t output_rows;          // in, rows whose logits are wanted, 0 to rows
  // Since minor 1. In, optional: called on the calling thread each time that a part of the entry is
  // done, with a label that says what it was ("linear 2048x1408 f8e4m3"), borrowed for the call. A
  // device that knows no parts never calls it.
  void (*observe)(void *observer, lathe_string label);
  void *observer;
} lathe_run_args;

// ---- The table --------------------------------------------------------------------------------

// Every function returns NULL, or an error that the caller owns. All are thread-safe except that a
// buffer or an executable must not be released while another call uses it. Releasing NULL is fine.
typedef struct lathe_device_api {
  size_t struct_size;
  const void *next;
  uint32_t abi_major, abi_minor; // of the header that the device was built with

  // Required.
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
  // Runs an entry and returns when its results can be mapped. Runs on one device follow each other.
  lathe_error *(*run)(lathe_run_args *args);

  // Optional.
  // NULL: the strings must be equal, then OPTIMAL; otherwise NO.
  lathe_error *(*compatibility)(lathe_compatibility_args *args);
  // NULL: the runtime allocates and copies. INVALID_ARGUMENT: memory not aligned as properties say.
  lathe_error *(*buffer_import)(lathe_buffer_import_args *args);
  // Makes the buffer read as zero. NULL: the runtime maps it and writes zeros.
  lathe_error *(*buffer_clear)(lathe_buffer_args *args);
} lathe_device_api;

#ifdef __cplusplus
}
#endif
#endif
