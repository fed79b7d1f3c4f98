// Code of a model that a test can compute in its head, with the exports of a compiled one. The
// likeliest next token depends on every token before it and on its place, so that a session which
// keeps or forgets the wrong ones shows. The state is the tokens themselves; weights hold one i32,
// microseconds that each row takes. toy_model.h has the same formula in C++.
#define _DEFAULT_SOURCE
#include <unistd.h>

#include "runtime/abi/cpu_executable.h"

enum { VOCABULARY = 512 };

static int64_t bestAfter(const int32_t *tokens, int64_t count) {
  int64_t sum = 7;
  for (int64_t i = 0; i < count; ++i)
    sum += (i + 1) * tokens[i];
  return sum % VOCABULARY;
}

static void writeRow(float *logits, int64_t best) {
  for (int64_t id = 0; id < VOCABULARY; ++id)
    logits[id] = id == best ? 3.0f : 0.0f;
}

static void run(const lathe_cpu_call *call) {
  const int32_t *tokens = call->buffers[LATHE_CPU_TOKENS];
  const int32_t *positions = call->buffers[LATHE_CPU_POSITIONS];
  const int32_t *output_rows = call->buffers[LATHE_CPU_OUTPUT_ROWS];
  const int32_t *microseconds = call->buffers[LATHE_CPU_WEIGHTS];
  float *logits = call->buffers[LATHE_CPU_LOGITS];
  int32_t *state = call->buffers[LATHE_CPU_STATE];
  for (int64_t row = 0; row < call->rows; ++row)
    state[positions[row]] = tokens[row];
  if (*microseconds > 0)
    usleep((useconds_t)(*microseconds * call->rows));
  for (int64_t i = 0; i < call->output_rows; ++i)
    writeRow(logits + i * VOCABULARY, bestAfter(state, positions[output_rows[i]] + 1));
}

static const lathe_cpu_entry kEntries[] = {{"decode", run}, {"prefill", run}};

__attribute__((visibility("default")))
const lathe_cpu_executable lathe_cpu_executable_table __asm__(LATHE_CPU_EXECUTABLE_SYMBOL) = {
    sizeof(lathe_cpu_executable), LATHE_CPU_EXECUTABLE_VERSION, 2, kEntries};
