#include "plugin/session.h"

#include "plugin/border.h"

#include <charconv>

namespace npu::plugin {
namespace {

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
  if (std::string file(option("trace")); !file.empty())
    session->profile.emplace(file);
  bool timed = option("mode") == "timed" || session->profile;
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
  options.trace = profile && profile->traces();
  NPU_ASSIGN_OR_RETURN(Report report, machine->launch(kernel, args, 0, options));
  if (profile)
    profile->note(launch.label, kernel, report);
  return {};
}

std::string Session::close() { return profile ? profile->write() : ""; }

} // namespace npu::plugin
