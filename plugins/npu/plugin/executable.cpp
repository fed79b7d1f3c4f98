// Code that is loaded, and its runs.
#include "plugin/device.h"
#include "plugin/queue.h"

namespace npu::plugin {

lathe_error *executable_load(lathe_executable_load_args *args) {
  lathe_executable_load_args mine = take(args);
  if (view(mine.compatibility) != mine.device->compatibility)
    return fail(LATHE_ERROR_FAILED_PRECONDITION, text("code needs ", view(mine.compatibility),
                                                      ", this is ", mine.device->compatibility));
  std::string_view bytes(static_cast<const char *>(mine.code), mine.size);
  Result<Code> code = read_code(bytes, mine.device->session->device());
  if (code.ok() && code->weights != mine.weight_count)
    code = error("it has ", code->weights, " weights, the call ", mine.weight_count);
  if (!code.ok())
    return fail(LATHE_ERROR_INVALID_ARGUMENT, text("code: ", code.message(), "; compile it again"));
  mine.executable = new lathe_executable{std::move(*code), {}};
  if (mine.weight_count)
    mine.executable->weight_offsets.assign(mine.weight_offsets,
                                           mine.weight_offsets + mine.weight_count);
  return give(args, mine);
}

lathe_error *executable_release(lathe_executable_args *args) {
  delete take(args).executable;
  return nullptr;
}

lathe_error *executable_entry(lathe_executable_entry_args *args) {
  lathe_executable_entry_args mine = take(args);
  std::string names;
  const std::vector<Entry> &entries = mine.executable->code.entries;
  for (mine.entry = 0; mine.entry < entries.size(); ++mine.entry) {
    if (entries[mine.entry].name == view(mine.name))
      return give(args, mine);
    names += text(" '", entries[mine.entry].name, "'");
  }
  return fail(LATHE_ERROR_NOT_FOUND,
              text("code has no entry '", view(mine.name), "'; it has", names));
}

// ---- Runs

namespace {

Result<Places> places_of(const lathe_run_args &args, const Entry &entry) {
  Places places;
  places.weight_offsets = args.executable->weight_offsets;
  for (uint32_t i = 0; i < args.binding_count; ++i) {
    const lathe_binding &binding = args.bindings[i];
    if (binding.buffer ? !binding.buffer->holds(binding.offset, binding.size)
                       : binding.offset || binding.size)
      return error("binding ", i, " is beyond the end of its buffer");
    uint64_t address = binding.buffer ? binding.buffer->address + binding.offset : 0;
    Range range{address, binding.size};
    uint64_t behind = i - entry.inputs - entry.results;
    if (i < entry.inputs)
      places.inputs.push_back(range);
    else if (i < entry.inputs + entry.results)
      places.results.push_back(range);
    else
      (behind == LATHE_BIND_SCRATCH   ? places.scratch
       : behind == LATHE_BIND_WEIGHTS ? places.weights
                                      : places.state) = range;
  }
  places.rows = static_cast<uint64_t>(args.rows);
  places.output_rows = static_cast<uint64_t>(args.output_rows);
  return places;
}

// What is wrong with the call itself; all else is found out when it runs.
Status check_run(const lathe_run_args &args) {
  const Code &code = args.executable->code;
  if (args.entry >= code.entries.size())
    return error("there is no entry ", args.entry);
  const Entry &entry = code.entries[args.entry];
  if (args.binding_count != entry.inputs + entry.results + LATHE_BIND_COUNT)
    return error(args.binding_count, " bindings; ", entry.name, " takes ", entry.inputs,
                 " and gives ", entry.results);
  if (args.rows < 1 || static_cast<uint64_t>(args.rows) > entry.max_rows || args.output_rows < 0 ||
      args.output_rows > args.rows)
    return error(args.rows, " rows, ", args.output_rows, " of output; ", entry.name, " takes 1 to ",
                 entry.max_rows);
  return {};
}

} // namespace

// Runs follow each other, whatever queue they are in. An observer is told on the thread that
// called, which does nothing of a queue's work.
lathe_error *run(lathe_run_args *args) {
  lathe_run_args mine = take(args);
  if (Status good = check_run(mine); !good.ok())
    return fail(LATHE_ERROR_INVALID_ARGUMENT, good.message());
  const Code &code = mine.executable->code;
  const Entry &entry = code.entries[mine.entry];
  Result<Places> places = places_of(mine, entry);
  if (!places.ok())
    return fail(LATHE_ERROR_INVALID_ARGUMENT, places.message());
  auto observe = [mine](const std::string &label) {
    if (mine.observe && !mine.order.queue)
      mine.observe(mine.observer, shown(label));
  };
  return do_work(mine.order, [=, &code, &entry, &device = *mine.device, places = *places] {
    std::lock_guard<std::mutex> lock(device.running);
    Status done = device.session->run(code, entry, places, observe);
    return done.ok() ? nullptr : fail(LATHE_ERROR_INTERNAL, done.message());
  });
}

} // namespace npu::plugin
