#include "plugin/code.h"

#include <cstring>

namespace npu::plugin {
namespace {

constexpr uint64_t magic = 0x3130'4550'554e'0a89; // also says the byte order

// FNV-1a: finds damage, not malice.
uint64_t checksum(std::string_view bytes) {
  uint64_t sum = 0xcbf29ce484222325;
  for (unsigned char byte : bytes)
    sum = (sum ^ byte) * 0x100000001b3;
  return sum;
}

class Writer {
public:
  void number(uint64_t value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes += value;
  }
  void count(const Count &value) {
    number(value.extent);
    number(value.factor);
  }
  std::string bytes;
};

// Gives zeros and empty texts once something was wrong.
class Reader {
public:
  explicit Reader(std::string_view bytes) : rest(bytes) {}

  uint64_t number(uint64_t most) {
    uint64_t value = 0;
    if (rest.size() < sizeof value)
      return wrong("it ends too early");
    std::memcpy(&value, rest.data(), sizeof value);
    rest.remove_prefix(sizeof value);
    return value <= most ? value : wrong("a number in it is too large");
  }
  std::string_view text() {
    uint64_t size = number(rest.size());
    if (size > rest.size())
      return wrong("it ends too early"), std::string_view();
    std::string_view value = rest.substr(0, size);
    rest.remove_prefix(size);
    return value;
  }
  // How many things follow that take at least `each` bytes.
  uint64_t size(uint64_t each) { return number(rest.size() / each); }
  Count count() {
    auto extent = static_cast<Count::Extent>(number(Count::OutputRows));
    return {extent, number(extent == Count::Constant ? max_bytes : max_extent)};
  }
  uint64_t wrong(const char *what) {
    if (problem.empty())
      problem = what;
    rest = {};
    return 0;
  }

  std::string_view rest;
  std::string problem;
};

void write_launch(Writer &writer, const Launch &launch) {
  writer.number(launch.kernel);
  writer.number(launch.blocks);
  writer.count(launch.rows);
  writer.text(launch.label);
  writer.number(launch.args.size());
  for (const Source &source : launch.args) {
    writer.number(source.kind);
    writer.number(source.index);
    writer.number(source.offset);
    writer.count(source.number);
  }
}

Launch read_launch(Reader &reader) {
  Launch launch;
  launch.kernel = static_cast<uint32_t>(reader.number(UINT32_MAX));
  launch.blocks = static_cast<uint32_t>(reader.number(UINT16_MAX));
  launch.rows = reader.count();
  launch.label = reader.text();
  launch.args.resize(reader.size(40));
  for (Source &source : launch.args) {
    source.kind = static_cast<Source::Kind>(reader.number(Source::State));
    source.index = static_cast<uint32_t>(reader.number(UINT16_MAX));
    source.offset = reader.number(max_bytes);
    source.number = reader.count();
  }
  return launch;
}

Entry read_entry(Reader &reader) {
  Entry entry;
  entry.name = reader.text();
  entry.max_rows = reader.number(max_extent);
  entry.inputs = reader.number(UINT16_MAX);
  entry.results = reader.number(UINT16_MAX);
  entry.scratch_bytes = reader.number(max_bytes);
  entry.launches.resize(reader.size(48));
  for (Launch &launch : entry.launches)
    launch = read_launch(reader);
  return entry;
}

Status check_source(const Code &code, const Entry &entry, const Source &source, const Arg &arg) {
  bool is_number = source.kind == Source::Number;
  uint64_t most = source.kind == Source::Input    ? entry.inputs
                  : source.kind == Source::Result ? entry.results
                  : source.kind == Source::Weight ? code.weights
                                                  : 1;
  if (is_number != (arg.kind == ArgKind::Scalar))
    return error("argument '", arg.name, "' of '", entry.name, "' is of another kind");
  if (!is_number && source.index >= most)
    return error("argument '", arg.name, "' of '", entry.name, "' is number ", source.index, " of ",
                 most);
  if (source.kind == Source::Weight && arg.access != ArgAccess::Read)
    return error("argument '", arg.name, "' of '", entry.name, "' would write a weight");
  return {};
}

Status check_launch(const Code &code, const Entry &entry, const Launch &launch) {
  if (launch.kernel >= code.module.kernels.size() || launch.blocks < 1)
    return error("a launch of '", entry.name, "' is of kernel ", launch.kernel, " of ",
                 code.module.kernels.size(), " on ", launch.blocks, " blocks");
  const Kernel &kernel = code.module.kernels[launch.kernel];
  if (launch.args.size() != kernel.args.size() || kernel.workspaceBytes)
    return error("a launch of '", entry.name, "' has ", launch.args.size(),
                 " arguments, its "
                 "kernel takes ",
                 kernel.args.size());
  for (size_t i = 0; i < launch.args.size(); ++i)
    NPU_RETURN_IF_ERROR(check_source(code, entry, launch.args[i], kernel.args[i]));
  return {};
}

Status check(const Code &code, const Device &device) {
  if (code.module.device != device.name)
    return error("made for ", code.module.device, ", this is ", device.name);
  for (const Kernel &kernel : code.module.kernels)
    NPU_RETURN_IF_ERROR(fits(device, kernel));
  for (const Entry &entry : code.entries)
    for (const Launch &launch : entry.launches)
      NPU_RETURN_IF_ERROR(check_launch(code, entry, launch));
  return {};
}

} // namespace

std::string write_code(const Code &code) {
  Writer body;
  body.text(encode(code.module));
  body.number(code.weights);
  body.number(code.state_bytes);
  body.number(code.entries.size());
  for (const Entry &entry : code.entries) {
    body.text(entry.name);
    for (uint64_t value : {entry.max_rows, entry.inputs, entry.results, entry.scratch_bytes})
      body.number(value);
    body.number(entry.launches.size());
    for (const Launch &launch : entry.launches)
      write_launch(body, launch);
  }
  Writer all;
  all.number(magic);
  all.number(checksum(body.bytes));
  all.bytes += body.bytes;
  return all.bytes;
}

Result<Code> read_code(std::string_view bytes, const Device &device) {
  Reader reader(bytes);
  if (reader.number(UINT64_MAX) != magic)
    return error("these bytes are no code of this plugin");
  if (uint64_t sum = reader.number(UINT64_MAX); sum != checksum(reader.rest))
    return error("its checksum does not fit its bytes; it is damaged");
  std::string_view object = reader.text();
  Code code;
  code.weights = reader.number(UINT16_MAX);
  code.state_bytes = reader.number(max_bytes);
  code.entries.resize(reader.size(48));
  for (Entry &entry : code.entries)
    entry = read_entry(reader);
  if (!reader.problem.empty() || !reader.rest.empty())
    return error(reader.problem.empty() ? "bytes follow its end" : reader.problem);
  NPU_ASSIGN_OR_RETURN(code.module, decode(object));
  NPU_RETURN_IF_ERROR(check(code, device));
  return code;
}

std::string compatibility_of(const Device &device) {
  return text("arch=", device.arch, ";device=", device.name, ";version=1");
}

} // namespace npu::plugin
