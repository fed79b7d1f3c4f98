// What the code of a CPU target exports, and what it is given when it runs. C11, standalone.
//
// A CPU executable is an ELF shared object with one exported symbol, `lathe_cpu_executable`. It
// needs no library but libc's memcpy and memset. It keeps no state of its own: all memory comes
// with a call.
#ifndef LATHE_RUNTIME_ABI_CPU_EXECUTABLE_H
#define LATHE_RUNTIME_ABI_CPU_EXECUTABLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LATHE_CPU_EXECUTABLE_VERSION 1
#define LATHE_CPU_EXECUTABLE_SYMBOL "lathe_cpu_executable"

// A piece of work: items [begin, end). Must give the same result however items are grouped.
typedef void (*lathe_cpu_task)(const void *context, int64_t begin, int64_t end);

// What the caller offers to running code. Borrowed for the call.
typedef struct lathe_cpu_host {
  size_t struct_size;
  void *pool;
  // Runs task over the items [0, count), each exactly once, on the pool's threads and the caller's.
  // Returns when all are done; what they wrote is visible to the caller then. Never nested.
  void (*parallel)(void *pool, lathe_cpu_task task, const void *context, int64_t count);
  // Optional, NULL or not in struct_size: nobody looks. Called on the calling thread after each
  // region of the entry with its label, a terminated string that lives as long as the code.
  void (*observe)(void *observer, const char *label);
  void *observer;
} lathe_cpu_host;

// The order of `buffers` in a call of a step.
enum {
  LATHE_CPU_TOKENS = 0,      // in,  i32 [rows]: token ids, each in [0, vocab_size)
  LATHE_CPU_SLOTS = 1,       // in,  i32 [rows]: the sequence of the state that a row belongs to
  LATHE_CPU_POSITIONS = 2,   // in,  i32 [rows]: place in that sequence, rising within a slot
  LATHE_CPU_OUTPUT_ROWS = 3, // in,  i32 [output_rows]: the rows whose logits are wanted
  LATHE_CPU_LOGITS = 4,      // out, f32 [output_rows, vocab_size]
  LATHE_CPU_ARENA = 5,       // scratch, as many bytes as the step's manifest says, 64-byte aligned
  LATHE_CPU_WEIGHTS = 6,     // in,  the target's packed weights, 64-byte aligned
  LATHE_CPU_STATE = 7,       // in and out, caches of all layers, zero before the first step
  LATHE_CPU_BUFFER_COUNT = 8
};

typedef struct lathe_cpu_call {
  size_t struct_size;
  const lathe_cpu_host *host;
  int64_t rows;        // T, 1 for an entry named decode, 1 to the step's max_rows for prefill
  int64_t output_rows; // 0 to rows
  void *const *buffers;
} lathe_cpu_call;

typedef struct lathe_cpu_entry {
  const char *name;                        // "decode", "prefill"
  void (*run)(const lathe_cpu_call *call); // it and its tasks use up to 2 MiB of stack each
} lathe_cpu_entry;

typedef struct lathe_cpu_executable {
  size_t struct_size;
  uint32_t version; // LATHE_CPU_EXECUTABLE_VERSION of the compiler that made it
  uint32_t entry_count;
  const lathe_cpu_entry *entries;
} lathe_cpu_executable;

#ifdef __cplusplus
}
#endif
#endif
