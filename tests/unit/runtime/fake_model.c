// A model small enough to follow by hand, as the shared object that an artifact holds. The logit of
// token v behind tokens t[0..p] is, in f32 and in this order,
//   sum over q = 0..p of weights[(7 t[q] + v) % 32] / (p - q + 1), and 100 more for v = (t[p] + 1)
//   % 32
// so that greedy generation counts up. Behind token 13 all logits are NaN. The state is the list of
// tokens. Compiled with FAKE_... defined it is wrong in one way; fake_model.h lists them.
#include "runtime/abi/cpu_executable.h"

enum { VOCAB = 32, UNLUCKY = 13 };

static const int32_t *ints(const lathe_cpu_call *call, int buffer) {
  return (const int32_t *)call->buffers[buffer];
}

// An item is one logit.
static void sum_history(const void *context, int64_t begin, int64_t end) {
  const lathe_cpu_call *call = (const lathe_cpu_call *)context;
  const float *weights = (const float *)call->buffers[LATHE_CPU_WEIGHTS];
  const int32_t *history = ints(call, LATHE_CPU_STATE);
  float *sums = (float *)call->buffers[LATHE_CPU_ARENA];
  for (int64_t item = begin; item < end; ++item) {
    int32_t row = ints(call, LATHE_CPU_OUTPUT_ROWS)[item / VOCAB];
    int32_t last = ints(call, LATHE_CPU_POSITIONS)[row];
    float sum = 0;
    for (int32_t q = 0; q <= last; ++q)
      sum += weights[(7 * history[q] + item % VOCAB) % VOCAB] / (float)(last - q + 1);
    sums[item] = sum;
  }
}

static void add_successor(const void *context, int64_t begin, int64_t end) {
  const lathe_cpu_call *call = (const lathe_cpu_call *)context;
  const float *sums = (const float *)call->buffers[LATHE_CPU_ARENA];
  float *logits = (float *)call->buffers[LATHE_CPU_LOGITS];
  for (int64_t item = begin; item < end; ++item) {
    int32_t token = ints(call, LATHE_CPU_TOKENS)[ints(call, LATHE_CPU_OUTPUT_ROWS)[item / VOCAB]];
    logits[item] = sums[item] + (item % VOCAB == (token + 1) % VOCAB ? 100.0f : 0.0f);
    if (token == UNLUCKY)
      logits[item] = __builtin_nanf("");
  }
}

static void run(const lathe_cpu_call *call) {
  int32_t *history = (int32_t *)call->buffers[LATHE_CPU_STATE];
  for (int64_t row = 0; row < call->rows; ++row)
    history[ints(call, LATHE_CPU_POSITIONS)[row]] = ints(call, LATHE_CPU_TOKENS)[row];
  const lathe_cpu_host *host = call->host;
  host->parallel(host->pool, sum_history, call, call->output_rows * VOCAB);
  if (host->observe)
    host->observe(host->observer, "sum_history");
  host->parallel(host->pool, add_successor, call, call->output_rows * VOCAB);
  if (host->observe)
    host->observe(host->observer, "add_successor");
}

static void nothing(const lathe_cpu_call *call) { (void)call; }

static const lathe_cpu_entry entries[] = {
    {"decode", run},
#if defined(FAKE_NAMELESS_ENTRY)
    {0, run},
#elif defined(FAKE_EMPTY_ENTRY)
    {"prefill", 0},
#else
    {"prefill", run},
#endif
    {"nothing", nothing},
};

#ifdef FAKE_NO_SYMBOL
#define SYMBOL "another_symbol"
#else
#define SYMBOL LATHE_CPU_EXECUTABLE_SYMBOL
#endif
#ifndef FAKE_VERSION
#define FAKE_VERSION LATHE_CPU_EXECUTABLE_VERSION
#endif
#ifndef FAKE_ENTRY_COUNT
#define FAKE_ENTRY_COUNT 3
#endif
#ifndef FAKE_TABLE_SIZE
#define FAKE_TABLE_SIZE sizeof(lathe_cpu_executable)
#endif

__attribute__((visibility("default"))) const lathe_cpu_executable table __asm__(SYMBOL) = {
    FAKE_TABLE_SIZE, FAKE_VERSION, FAKE_ENTRY_COUNT, entries};
