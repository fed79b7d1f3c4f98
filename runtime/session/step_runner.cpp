#include "runtime/session/step_runner.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/status.h"
#include "runtime/abi/cpu_executable.h"

namespace lathe::runtime {
namespace {

using artifact::BufferKind;

constexpr size_t kKinds = static_cast<size_t>(BufferKind::crossing) + 1; // of a device
// Code of the home device takes one buffer of each kind but `crossing`, in the order of the kinds.
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

uint64_t bytesOf(const artifact::Step &step, BufferKind kind, uint32_t device,
                 uint64_t vocab_size) {
  uint64_t bytes = device == 0 ? neededBytes(kind, step.max_rows, vocab_size) : 0;
  for (const artifact::Buffer &buffer : step.buffers)
    if (buffer.kind == kind && buffer.device == device)
      bytes = std::max(bytes, buffer.offset + buffer.bytes);
  return bytes;
}

// The last buffers of a call, in their order, as runtime/abi/plugin.h has them.
constexpr BufferKind kLast[LATHE_BIND_COUNT] = {BufferKind::arena, BufferKind::weights,
                                                BufferKind::state};

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
  for (const Module::OnDevice &on : runner.module_->devices()) {
    LATHE_ASSIGN_OR_RETURN(DeviceQueue queue, DeviceQueue::create(on.device));
    runner.queues_.push_back(std::move(queue));
  }
  for (const artifact::Step *step : steps) {
    LATHE_ASSIGN_OR_RETURN(Program program, runner.bind(*step));
    runner.programs_.push_back(std::move(program));
  }
  return runner;
}

DeviceBuffer &StepRunner::buffer(BufferKind kind, uint32_t device) {
  return buffers_[device * kKinds + static_cast<size_t>(kind)];
}

absl::Status StepRunner::allocate(absl::Span<const artifact::Step *const> steps) {
  uint64_t vocab_size = module_->manifest().vocab_size;
  buffers_.resize(module_->devices().size() * kKinds);
  for (size_t i = 0; i < buffers_.size(); ++i) {
    auto kind = static_cast<BufferKind>(i % kKinds);
    auto device = static_cast<uint32_t>(i / kKinds);
    if (kind == BufferKind::weights)
      continue;
    uint64_t bytes = 0;
    for (const artifact::Step *step : steps)
      bytes = std::max(bytes, bytesOf(*step, kind, device, vocab_size));
    if (bytes == 0 && device > 0)
      continue;
    // Slots are never written: all rows belong to sequence 0.
    bool zeroed = kind == BufferKind::state || kind == BufferKind::slots;
    LATHE_ASSIGN_OR_RETURN(buffers_[i], module_->devices()[device].device->allocate(
                                            bytes, zeroed ? LATHE_BUFFER_ZEROED : 0, 64));
  }
  return absl::OkStatus();
}

// What code is given must be what it takes: it writes where it is told.
absl::Status StepRunner::verifyOrder(const artifact::Step &step, const artifact::Call &call) const {
  bool is_home = call.device == 0;
  size_t count = call.buffers.size(), least = is_home ? LATHE_CPU_BUFFER_COUNT : +LATHE_BIND_COUNT;
  if (is_home ? count != least : count < least)
    return absl::InvalidArgumentError(absl::StrCat("takes ", count, " buffers; this runtime gives ",
                                                   is_home ? "" : "at least ", least));
  for (size_t i = 0; i < count; ++i) {
    BufferKind kind = step.buffers[call.buffers[i]].kind;
    BufferKind wanted = is_home                         ? static_cast<BufferKind>(i)
                        : i + LATHE_BIND_COUNT >= count ? kLast[i + LATHE_BIND_COUNT - count]
                        : kind > BufferKind::logits     ? BufferKind::crossing
                                                        : kind;
    if (kind != wanted)
      return absl::InvalidArgumentError(
          absl::StrCat("its buffer ", i, " is of kind ", static_cast<int>(kind),
                       "; it must be of kind ", static_cast<int>(wanted)));
  }
  return absl::OkStatus();
}

// All of the memory of a kind, but for values that cross, which stand side by side.
lathe_binding StepRunner::binding(const artifact::Buffer &buffer) {
  if (buffer.kind == BufferKind::weights)
    return module_->devices()[buffer.device].weights.binding();
  DeviceBuffer &memory = this->buffer(buffer.kind, buffer.device);
  if (buffer.kind != BufferKind::crossing)
    return memory.binding();
  return {memory.handle(), buffer.offset, buffer.bytes};
}

RowCopy StepRunner::bindCopy(const artifact::Step &step, const artifact::Copy &copy) {
  auto side = [&](uint32_t index, uint64_t offset, uint64_t stride) {
    const artifact::Buffer &at = step.buffers[index];
    return RowCopy::Side{&buffer(at.kind, at.device), &queues_[at.device], at.offset + offset,
                         stride};
  };
  return RowCopy(side(copy.from, copy.from_offset, copy.from_stride),
                 side(copy.to, copy.to_offset, copy.to_stride), copy, step.max_rows);
}

absl::StatusOr<StepRunner::BoundCall> StepRunner::bindCall(const artifact::Step &step,
                                                           const artifact::Call &call) {
  BoundCall bound;
  for (const artifact::Copy &copy : call.copies) {
    for (uint32_t side : {copy.from, copy.to})
      if (step.buffers[side].kind == BufferKind::weights)
        return absl::InvalidArgumentError("copies weights, which nobody writes");
    bound.copies.push_back(bindCopy(step, copy));
  }
  if (call.entry.empty())
    return bound;
  bound.on = &module_->devices()[call.device];
  bound.queue = &queues_[call.device];
  LATHE_ASSIGN_OR_RETURN(bound.entry, bound.on->executable.entry(call.entry));
  LATHE_RETURN_IF_ERROR(verifyOrder(step, call));
  for (uint32_t index : call.buffers)
    bound.bindings.push_back(binding(step.buffers[index]));
  return bound;
}

absl::StatusOr<StepRunner::Program> StepRunner::bind(const artifact::Step &step) {
  Program program;
  program.max_rows = step.max_rows;
  for (const artifact::Call &call : step.calls) {
    auto bound = bindCall(step, call);
    if (!bound.ok())
      return prefixed(bound.status(), absl::StrCat(module_->artifact().path(), ": step '",
                                                   step.name, "', entry '", call.entry, "': "));
    program.calls.push_back(*std::move(bound));
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

// Asked of the devices in their order, waited for together.
absl::Status StepRunner::copy(std::vector<RowCopy> &copies, int64_t rows, int64_t output_rows) {
  for (RowCopy &copy : copies)
    LATHE_RETURN_IF_ERROR(copy.start(rows, output_rows));
  for (RowCopy &copy : copies) {
    if (!copy.isPending())
      continue;
    LATHE_RETURN_IF_ERROR(copy.source().finish());
    LATHE_RETURN_IF_ERROR(copy.finish(rows, output_rows));
  }
  return absl::OkStatus();
}

absl::Status StepRunner::run(BoundCall &call, int64_t rows, int64_t output_rows) {
  LATHE_RETURN_IF_ERROR(copy(call.copies, rows, output_rows));
  if (!call.on)
    return absl::OkStatus();
  return call.queue->run(call.on->executable, call.entry, call.bindings, rows, output_rows,
                         observer_ ? &observer_ : nullptr);
}

absl::Status StepRunner::finishQueues() {
  absl::Status first;
  for (DeviceQueue &queue : queues_)
    first.Update(queue.finish());
  return first;
}

// No work is left behind, whatever happens: the next step writes what it reads.
absl::Status StepRunner::run(Program &program, int64_t rows, int64_t output_rows) {
  absl::Status status;
  for (auto call = program.calls.begin(); call != program.calls.end() && status.ok(); ++call)
    status = run(*call, rows, output_rows);
  status.Update(finishQueues());
  return status;
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
  LATHE_RETURN_IF_ERROR(run(*program, rows, output_rows));
  LATHE_ASSIGN_OR_RETURN(void *logits, buffer(BufferKind::logits).map(LATHE_MAP_READ));
  logits_mapped_ = true;
  size_t count = output_rows * module_->manifest().vocab_size;
  return absl::Span<const float>(static_cast<const float *>(logits), count);
}

absl::Status StepRunner::clearState() {
  for (uint32_t device = 0; device < module_->devices().size(); ++device)
    if (DeviceBuffer &state = buffer(BufferKind::state, device); state.handle())
      LATHE_RETURN_IF_ERROR(state.clear());
  return absl::OkStatus();
}

uint64_t StepRunner::stateBytes() const {
  uint64_t bytes = 0;
  for (size_t i = static_cast<size_t>(BufferKind::state); i < buffers_.size(); i += kKinds)
    bytes += buffers_[i].size();
  return bytes;
}

} // namespace lathe::runtime
