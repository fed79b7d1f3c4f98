#include "runtime/session/step_runner.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/status.h"
#include "runtime/abi/cpu_executable.h"

namespace lathe::runtime {
namespace {

using artifact::BufferKind;

constexpr size_t kKinds = LATHE_CPU_BUFFER_COUNT;
// A call takes one buffer of each kind, in the order of the kinds.
static_assert(static_cast<int>(BufferKind::tokens) == LATHE_CPU_TOKENS);
static_assert(static_cast<int>(BufferKind::output_rows) == LATHE_CPU_OUTPUT_ROWS);
static_assert(static_cast<int>(BufferKind::logits) == LATHE_CPU_LOGITS);
static_assert(static_cast<int>(BufferKind::arena) == LATHE_CPU_ARENA);
static_assert(static_cast<int>(BufferKind::weights) == LATHE_CPU_WEIGHTS);
static_assert(static_cast<int>(BufferKind::state) == LATHE_CPU_STATE);

// What a step of `rows` rows reads or writes at least, whatever its manifest says.
uint64_t neededBytes(BufferKind kind, uint64_t rows, uint64_t vocab_size) {
  switch (kind) {
  case BufferKind::tokens:
  case BufferKind::slots:
  case BufferKind::positions:
  case BufferKind::output_rows: return 4 * rows;
  case BufferKind::logits: return 4 * rows * vocab_size;
  default: return 0;
  }
}

uint64_t bytesOf(const artifact::Step &step, BufferKind kind, uint64_t vocab_size) {
  uint64_t bytes = neededBytes(kind, step.max_rows, vocab_size);
  for (const artifact::Buffer &buffer : step.buffers)
    if (buffer.kind == kind)
      bytes = std::max(bytes, buffer.bytes);
  return bytes;
}

// Those that a runtime knows what to do with, in rising order of their rows.
std::vector<const artifact::Step *> stepsOf(const Module &module) {
  std::vector<const artifact::Step *> steps;
  for (const char *name : {"decode", "few", "prefill"})
    if (const artifact::Step *step = module.findStep(name))
      steps.push_back(step);
  std::stable_sort(steps.begin(), steps.end(),
                   [](const auto *a, const auto *b) { return a->max_rows < b->max_rows; });
  return steps;
}

} // namespace

absl::StatusOr<StepRunner> StepRunner::create(std::shared_ptr<Module> module) {
  StepRunner runner;
  runner.module_ = std::move(module);
  const std::vector<const artifact::Step *> steps = stepsOf(*runner.module_);
  if (steps.empty())
    return absl::FailedPreconditionError(absl::StrCat(runner.module_->artifact().path(),
                                                      ": target '", runner.module_->target().name,
                                                      "' has neither a decode nor a prefill step"));
  LATHE_RETURN_IF_ERROR(runner.allocate(steps));
  for (const artifact::Step *step : steps) {
    LATHE_ASSIGN_OR_RETURN(Program program, runner.bind(*step));
    runner.programs_.push_back(std::move(program));
  }
  return runner;
}

absl::Status StepRunner::allocate(absl::Span<const artifact::Step *const> steps) {
  uint64_t vocab_size = module_->manifest().vocab_size;
  buffers_.resize(kKinds);
  for (size_t i = 0; i < kKinds; ++i) {
    auto kind = static_cast<BufferKind>(i);
    if (kind == BufferKind::weights)
      continue;
    uint64_t bytes = 0;
    for (const artifact::Step *step : steps)
      bytes = std::max(bytes, bytesOf(*step, kind, vocab_size));
    // Slots are never written: all rows belong to sequence 0.
    bool zeroed = kind == BufferKind::state || kind == BufferKind::slots;
    LATHE_ASSIGN_OR_RETURN(
        buffers_[i], module_->device()->allocate(bytes, zeroed ? LATHE_BUFFER_ZEROED : 0, 64));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<lathe_binding>>
StepRunner::bindBuffers(const artifact::Step &step, const artifact::Call &call) const {
  if (call.buffers.size() != kKinds)
    return absl::InvalidArgumentError(
        absl::StrCat("takes ", call.buffers.size(), " buffers; this runtime gives ", kKinds));
  std::vector<lathe_binding> bound;
  for (size_t i = 0; i < kKinds; ++i) {
    BufferKind kind = step.buffers[call.buffers[i]].kind;
    if (kind != static_cast<BufferKind>(i))
      return absl::InvalidArgumentError(absl::StrCat(
          "its buffer ", i, " is of kind ", static_cast<int>(kind), "; it must be of kind ", i));
    bound.push_back(kind == BufferKind::weights ? module_->weights().binding()
                                                : buffers_[i].binding());
  }
  return bound;
}

absl::StatusOr<StepRunner::Program> StepRunner::bind(const artifact::Step &step) const {
  Program program;
  program.max_rows = step.max_rows;
  for (const artifact::Call &call : step.calls) {
    std::string where = absl::StrCat(module_->artifact().path(), ": step '", step.name,
                                     "', entry '", call.entry, "': ");
    if (call.device != 0)
      return absl::UnimplementedError(absl::StrCat(where, "runs on device ", call.device,
                                                   "; this runtime runs a model on one device"));
    auto entry = module_->executable().entry(call.entry);
    if (!entry.ok())
      return prefixed(entry.status(), where);
    auto buffers = bindBuffers(step, call);
    if (!buffers.ok())
      return prefixed(buffers.status(), where);
    program.calls.push_back({*entry, *std::move(buffers)});
  }
  return program;
}

absl::Status StepRunner::writeSequence(BufferKind kind, int64_t first, int64_t count) {
  LATHE_ASSIGN_OR_RETURN(void *memory, buffer(kind).map(LATHE_MAP_WRITE));
  auto *numbers = static_cast<int32_t *>(memory);
  std::iota(numbers, numbers + count, static_cast<int32_t>(first));
  return buffer(kind).unmap();
}

absl::Status StepRunner::writeInputs(absl::Span<const int32_t> tokens, int64_t position,
                                     int64_t output_rows) {
  if (logits_mapped_)
    LATHE_RETURN_IF_ERROR(buffer(BufferKind::logits).unmap());
  logits_mapped_ = false;
  LATHE_ASSIGN_OR_RETURN(void *memory, buffer(BufferKind::tokens).map(LATHE_MAP_WRITE));
  std::memcpy(memory, tokens.data(), tokens.size() * sizeof(int32_t));
  LATHE_RETURN_IF_ERROR(buffer(BufferKind::tokens).unmap());
  int64_t rows = tokens.size();
  LATHE_RETURN_IF_ERROR(writeSequence(BufferKind::positions, position, rows));
  return writeSequence(BufferKind::output_rows, rows - output_rows, output_rows);
}

absl::StatusOr<absl::Span<const float>> StepRunner::run(absl::Span<const int32_t> tokens,
                                                        int64_t position, int64_t output_rows) {
  int64_t rows = tokens.size();
  auto program = std::find_if(programs_.begin(), programs_.end(),
                              [&](const Program &one) { return rows <= one.max_rows; });
  if (rows < 1 || program == programs_.end() || output_rows > rows)
    return absl::InternalError(absl::StrCat("step of ", rows, " rows, of which ", output_rows,
                                            " wanted; it takes up to ", maxRows()));
  LATHE_RETURN_IF_ERROR(writeInputs(tokens, position, output_rows));
  for (const BoundCall &call : program->calls)
    LATHE_RETURN_IF_ERROR(module_->device()->run(module_->executable(), call.entry, call.bindings,
                                                 rows, output_rows,
                                                 observer_ ? &observer_ : nullptr));
  LATHE_ASSIGN_OR_RETURN(void *logits, buffer(BufferKind::logits).map(LATHE_MAP_READ));
  logits_mapped_ = true;
  size_t count = output_rows * module_->manifest().vocab_size;
  return absl::Span<const float>(static_cast<const float *>(logits), count);
}

absl::Status StepRunner::clearState() { return buffer(BufferKind::state).clear(); }

uint64_t StepRunner::stateBytes() const {
  return buffers_[static_cast<size_t>(BufferKind::state)].size();
}

} // namespace lathe::runtime
