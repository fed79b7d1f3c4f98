// Code loaded and run. Places are looked up in the bindings when the host calls, so that what is
// wrong is said at once; what is queued has nothing left to check.
#include "device/device.h"
#include "device/queue.h"

namespace onednn {
namespace {

// Whether [offset, offset + size) is in memory of `all` bytes.
bool isWithin(uint64_t offset, uint64_t size, uint64_t all) {
  return size <= all && offset <= all - size;
}

class Binder {
public:
  Binder(const lathe_run_args &args, const Entry &entry) : args_(args), entry_(entry) {}

  std::vector<Step> steps() const {
    const Instruction *first =
        args_.executable->code.instructions.data() + entry_.first_instruction;
    std::vector<Step> steps(entry_.instruction_count);
    for (size_t i = 0; i < steps.size(); ++i) {
      steps[i].instruction = first + i;
      for (size_t j = 0; j < kPlaces; ++j)
        steps[i].matrices[j] = locate(first[i].places[j]);
      if (first[i].kind == run_attention)
        steps[i].cache = locateCache(first[i].cache);
    }
    return steps;
  }

private:
  // The memory of `size` bytes at `offset` of a binding, with all checks of what is bound.
  char *memory(uint64_t number, uint64_t offset, uint64_t size, bool is_written) const {
    if (size == 0)
      return nullptr;
    const lathe_binding &binding = args_.bindings[number];
    const lathe_buffer *buffer = binding.buffer;
    if (!buffer || !isWithin(binding.offset, binding.size, buffer->size) ||
        !isWithin(offset, size, binding.size) || (binding.offset + offset) % sizeof(float) != 0)
      fail(LATHE_ERROR_INVALID_ARGUMENT,
           "run: binding " + std::to_string(number) + " does not hold " + std::to_string(size) +
               " bytes at " + std::to_string(offset) +
               ", is beyond its buffer, or is not aligned to a float");
    if (is_written && buffer->is_imported)
      fail(LATHE_ERROR_INVALID_ARGUMENT,
           "run: binding " + std::to_string(number) + " is written to, and is imported memory");
    return buffer->memory + binding.offset + offset;
  }

  uint64_t special(uint64_t which) const {
    return entry_.input_count + entry_.result_count + which;
  }

  Matrix locate(const Place &place) const {
    uint64_t number = place.index, offset = place.offset;
    switch (place.kind) {
    case place_none: return {};
    case place_result: number += entry_.input_count; break;
    case place_scratch: number = special(LATHE_BIND_SCRATCH); break;
    case place_weight:
      offset += args_.executable->weight_offsets[place.index]; // wraps around at worst
      number = special(LATHE_BIND_WEIGHTS);
    }
    const auto rows = static_cast<uint64_t>(args_.rows);
    const auto output_rows = static_cast<uint64_t>(args_.output_rows);
    const bool is_written = place.kind == place_result || place.kind == place_scratch;
    Matrix matrix;
    matrix.data = memory(number, offset, bytesOf(place, rows, output_rows), is_written);
    matrix.rows = rowsIn(place.shape, rows, output_rows);
    matrix.columns = place.shape.columns;
    matrix.stride = place.stride;
    matrix.element = place.element;
    return matrix;
  }

  float *locateCache(const CacheShape &cache) const {
    return reinterpret_cast<float *>(
        memory(special(LATHE_BIND_STATE), cache.offset, cacheBytes(cache), true));
  }

  const lathe_run_args &args_;
  const Entry &entry_;
};

const Entry &entryOf(const lathe_run_args &args) {
  const Code &code = args.executable->code;
  if (args.entry >= code.entries.size())
    fail(LATHE_ERROR_INVALID_ARGUMENT, "run: there is no entry " + std::to_string(args.entry));
  const Entry &entry = code.entries[args.entry];
  if (args.binding_count != entry.input_count + entry.result_count + LATHE_BIND_COUNT)
    fail(LATHE_ERROR_INVALID_ARGUMENT, "run: " + std::to_string(args.binding_count) +
                                           " bindings; " + entry.name + " takes " +
                                           std::to_string(entry.input_count) + " and gives " +
                                           std::to_string(entry.result_count));
  if (args.rows < 1 || static_cast<uint64_t>(args.rows) > entry.max_rows || args.output_rows < 0 ||
      args.output_rows > args.rows)
    fail(LATHE_ERROR_INVALID_ARGUMENT,
         "run: " + std::to_string(args.rows) + " rows, " + std::to_string(args.output_rows) +
             " of output; " + entry.name + " takes 1 to " + std::to_string(entry.max_rows));
  return entry;
}

// An observer is told on the thread that called, which does nothing of a queue's work.
void runSteps(const std::vector<Step> &steps, Library &library, const lathe_run_args &args) {
  for (const Step &step : steps) {
    runStep(step, library);
    if (args.observe && !args.order.queue) {
      const std::string label = labelOf(*step.instruction);
      args.observe(args.observer, text(label));
    }
  }
}

} // namespace

lathe_error *executableLoad(lathe_executable_load_args *args) {
  return answer([&] {
    lathe_executable_load_args mine = take(args);
    if (!runsHere(mine.compatibility))
      fail(LATHE_ERROR_FAILED_PRECONDITION,
           "code needs " + shown(mine.compatibility) + ", which this device does not have");
    auto executable = std::make_unique<lathe_executable>();
    executable->code = readCode(mine.code, mine.size);
    if (executable->code.weight_count != mine.weight_count)
      fail(LATHE_ERROR_INVALID_ARGUMENT,
           "code: has another number of weights than the call; compile it again");
    executable->weight_offsets.assign(mine.weight_offsets, mine.weight_offsets + mine.weight_count);
    mine.executable = executable.release();
    give(args, mine);
  });
}

lathe_error *executableRelease(lathe_executable_args *args) {
  delete take(args).executable;
  return nullptr;
}

lathe_error *executableEntry(lathe_executable_entry_args *args) {
  return answer([&] {
    lathe_executable_entry_args mine = take(args);
    const std::vector<Entry> &entries = mine.executable->code.entries;
    std::string names;
    for (mine.entry = 0; mine.entry < entries.size(); ++mine.entry) {
      if (view(mine.name) == entries[mine.entry].name)
        return give(args, mine);
      if (names.size() < 256)
        names += std::string(" '") + entries[mine.entry].name + "'";
    }
    fail(LATHE_ERROR_NOT_FOUND, "code has no entry '" + shown(mine.name) + "'; it has" + names);
  });
}

lathe_error *run(lathe_run_args *args) {
  return answer([&] {
    const lathe_run_args mine = take(args);
    lathe_device &device = *mine.device;
    std::vector<Step> steps = Binder(mine, entryOf(mine)).steps();
    if (mine.order.queue)
      return doWork(mine.order, [steps = std::move(steps), &device, mine] {
        runSteps(steps, device.library, mine);
      });
    doWork(mine.order, [&] {
      std::lock_guard<std::mutex> lock(device.running);
      runSteps(steps, device.library, mine);
    });
  });
}

} // namespace onednn
