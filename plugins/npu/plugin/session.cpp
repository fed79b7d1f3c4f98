#include "plugin/session.h"

#include "plugin/border.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>

namespace npu::plugin {
namespace {

constexpr size_t most_traces = 64; // launches whose instructions stand in the trace file

Result<Range> range_of(const Source &source, const Places &places) {
  switch (source.kind) {
  case Source::Input: return places.inputs[source.index];
  case Source::Result: return places.results[source.index];
  case Source::Scratch: return places.scratch;
  case Source::State: return places.state;
  default: break;
  }
  uint64_t offset = places.weight_offsets[source.index];
  if (offset > places.weights.size)
    return error("weight ", source.index, " begins beyond the weights");
  return Range{places.weights.address + offset, places.weights.size - offset};
}

Result<uint64_t> address_of(const Source &source, const Arg &arg, const Places &places) {
  NPU_ASSIGN_OR_RETURN(Range range, range_of(source, places));
  if (source.offset > range.size || arg.bytes > range.size - source.offset)
    return error("argument '", arg.name, "' needs ", arg.bytes, " bytes at ", source.offset,
                 ", what is bound has ", range.size);
  return range.address + source.offset;
}

uint64_t number_of(std::string_view text, uint64_t otherwise) {
  uint64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

} // namespace

Result<std::unique_ptr<Session>> Session::open(std::string_view name) {
  NPU_ASSIGN_OR_RETURN(Device description, builtinDevice(name));
  auto session = std::make_unique<Session>();
  NPU_ASSIGN_OR_RETURN(session->machine, Machine::create(std::move(description)));
  session->trace_file = option("trace");
  bool timed = option("mode") == "timed" || !session->trace_file.empty();
  session->options.mode = timed ? Mode::Timed : Mode::Functional;
  session->options.checks = option("checks") != "off";
  session->options.threads = static_cast<unsigned>(number_of(option("threads"), 1));
  return session;
}

Status Session::run(const Code &code, const Entry &entry, const Places &places,
                    const std::function<void(const std::string &)> &observe) {
  if (places.scratch.size < entry.scratch_bytes || places.state.size < code.state_bytes)
    return error(entry.name, " needs ", entry.scratch_bytes, " bytes of scratch and ",
                 code.state_bytes, " of state, bound are ", places.scratch.size, " and ",
                 places.state.size);
  for (const Launch &each : entry.launches) {
    if (each.rows.of(places.rows, places.output_rows) == 0)
      continue;
    if (Status done = launch(code, each, places); !done.ok())
      return error(each.label, ": ", done.message());
    observe(each.label);
  }
  return {};
}

Status Session::launch(const Code &code, const Launch &launch, const Places &places) {
  const Kernel &kernel = code.module.kernels[launch.kernel];
  std::vector<uint64_t> args;
  for (size_t i = 0; i < launch.args.size(); ++i) {
    const Source &source = launch.args[i];
    if (source.kind == Source::Number) {
      args.push_back(source.number.of(places.rows, places.output_rows));
      continue;
    }
    NPU_ASSIGN_OR_RETURN(uint64_t address, address_of(source, kernel.args[i], places));
    args.push_back(address);
  }
  options.blocks = launch.blocks;
  options.trace = !trace_file.empty() && traces.size() < most_traces;
  NPU_ASSIGN_OR_RETURN(Report report, machine->launch(kernel, args, 0, options));
  if (options.mode == Mode::Timed)
    note(launch, kernel, report);
  return {};
}

void Session::note(const Launch &launch, const Kernel &kernel, const Report &report) {
  Usage &sum = usage[launch.label];
  ++sum.launches;
  sum.microseconds += report.coreMicroseconds();
  double cube =
      report.peakOperationsPerCycle > 0 ? report.cubeOperations / report.peakOperationsPerCycle : 0;
  sum.bound +=
      std::max(cube, report.memoryBytes / report.peakMemoryBytesPerCycle) / report.clockMhz;
  for (unsigned pipe = 0; pipe < numPipes; ++pipe)
    sum.pipes[pipe] += report.pipeMicroseconds(static_cast<Pipe>(pipe));
  if (options.trace)
    traces.push_back(chromeTrace(report, kernel));
}

// What is longest stands first.
std::string Session::table() const {
  std::vector<std::pair<std::string, Usage>> lines(usage.begin(), usage.end());
  std::sort(lines.begin(), lines.end(), [](const auto &a, const auto &b) {
    return a.second.microseconds > b.second.microseconds;
  });
  std::string result = "    launches     core_us    bound_us  busiest pipe    operation\n";
  for (const auto &[label, sum] : lines) {
    auto busiest = std::max_element(sum.pipes.begin(), sum.pipes.end());
    auto pipe = static_cast<Pipe>(busiest - sum.pipes.begin());
    char line[256];
    std::snprintf(line, sizeof line, "%12llu%12.2f%12.2f  %-5s %5.1f %%     ",
                  static_cast<unsigned long long>(sum.launches), sum.microseconds, sum.bound,
                  std::string(name(pipe)).c_str(),
                  100 * *busiest / std::max(sum.microseconds, 1e-9));
    result += line + label + "\n";
  }
  return result;
}

std::string Session::close() {
  if (trace_file.empty() || usage.empty())
    return "";
  std::ofstream text_file(trace_file + ".txt"), json(trace_file);
  text_file << table();
  json << "[";
  for (size_t i = 0; i < traces.size(); ++i)
    json << (i ? ",\n" : "") << traces[i];
  json << "]\n";
  return text_file && json ? "" : text("cannot write ", trace_file);
}

} // namespace npu::plugin
