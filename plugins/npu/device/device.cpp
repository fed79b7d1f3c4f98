#include "device/device.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace npu {
namespace {

using nlohmann::json;

constexpr double gib = 1073741824.0;
constexpr std::string_view layoutNames[] = {"rows", "zN", "zZ", "nZ", "lt"};

// Reads values under a path of keys. The first thing wrong is kept, later reads give defaults; so a
// description is read straight down and asked once, at the end, whether it was good.
class Reader {
public:
  explicit Reader(const json &root) : root(root) {}

  const json *at(const json &object, const std::string &key) {
    return object.is_object() && object.contains(key) ? &object[key] : nullptr;
  }
  void refuse(const std::string &where, std::string_view problem) {
    if (failure.empty())
      failure = text("device description: ", where, ": ", problem);
  }
  double number(const json &object, const std::string &where, const std::string &key, double low,
                double high, std::optional<double> fallback = std::nullopt) {
    const json *value = at(object, key);
    if (!value && fallback)
      return *fallback;
    double result = value && value->is_number() ? value->get<double>() : NAN;
    if (result >= low && result <= high)
      return result;
    refuse(where + key, text("must be a number from ", low, " to ", high));
    return low;
  }
  uint64_t whole(const json &object, const std::string &where, const std::string &key, double low,
                 double high, std::optional<double> fallback = std::nullopt) {
    double value = number(object, where, key, low, high, fallback);
    if (value != std::floor(value))
      refuse(where + key, "must be a whole number");
    return static_cast<uint64_t>(value);
  }
  std::string string(const json &object, const std::string &where, const std::string &key,
                     std::string fallback = "") {
    const json *value = at(object, key);
    if (!value && !fallback.empty())
      return fallback;
    if (value && value->is_string())
      return value->get<std::string>();
    refuse(where + key, "must be a string");
    return fallback;
  }
  const json &list(const json &object, const std::string &where, const std::string &key) {
    static const json empty = json::array();
    const json *value = at(object, key);
    if (value && value->is_array())
      return *value;
    refuse(where + key, "must be a list");
    return empty;
  }
  const json &object(const json &parent, const std::string &key) {
    static const json empty = json::object();
    const json *value = at(parent, key);
    if (value && value->is_object())
      return *value;
    refuse(key, "must be an object");
    return empty;
  }
  DType dtype(const std::string &text, const std::string &where) {
    if (std::optional<DType> type = dtypeNamed(text))
      return *type;
    refuse(where, npu::text("'", text, "' is no element type"));
    return DType::F32;
  }
  Space space(const json &object, const std::string &where, const std::string &key) {
    std::string text = string(object, where, key);
    if (std::optional<Space> space = spaceNamed(text))
      return *space;
    refuse(where + key, npu::text("'", text, "' is no memory"));
    return Space::GM;
  }
  Pipe pipe(const std::string &text, const std::string &where) {
    for (unsigned i = 0; i < numPipes; ++i)
      if (name(static_cast<Pipe>(i)) == text)
        return static_cast<Pipe>(i);
    refuse(where, npu::text("'", text, "' is no pipe"));
    return Pipe::S;
  }

  const json &root;
  std::string failure;
};

void readCores(Reader &in, Device &device) {
  device.clockMhz = in.number(in.root, "", "clock_mhz", 1, 1e5);
  device.groups = in.whole(in.root, "", "groups", 1, 256);
  const json &cores = in.object(in.root, "cores");
  device.aicPerGroup = in.whole(cores, "cores.", "aic_per_group", 0, 8);
  device.aivPerGroup = in.whole(cores, "cores.", "aiv_per_group", 0, 8);
  if (device.aicPerGroup + device.aivPerGroup == 0)
    in.refuse("cores", "a group must have a core");
  const json &pipes = in.object(in.root, "pipes");
  for (CoreKind core : {CoreKind::Aic, CoreKind::Aiv}) {
    if (!device.perGroup(core))
      continue;
    for (const json &pipe : in.list(pipes, "pipes.", std::string(name(core))))
      device.pipes[static_cast<unsigned>(core)] |=
          1u << static_cast<unsigned>(
              in.pipe(pipe.is_string() ? pipe.get<std::string>() : "", "pipes"));
  }
  device.queueDepth = in.whole(pipes, "pipes.", "depth", 1, 1024);
}

void readMemory(Reader &in, Device &device, const std::string &key, const json &entry) {
  std::string where = "memory." + key + ".";
  std::optional<Space> space = spaceNamed(key);
  if (!space || *space == Space::GM || !entry.is_object())
    return in.refuse("memory." + key, "is no memory of a core that this simulator knows");
  MemorySpec &spec = device.memory[static_cast<unsigned>(*space)];
  spec.same = entry.contains("alias") ? in.space(entry, where, "alias") : *space;
  spec.name = in.string(entry, where, "name", key);
  if (spec.same == *space)
    spec.bytes = in.whole(entry, where, "bytes", 32, 1u << 26);
  spec.align = in.whole(entry, where, "align", 1, 4096);
  spec.core = in.string(entry, where, "core") == "aiv" ? CoreKind::Aiv : CoreKind::Aic;
  std::string layout = in.string(entry, where, "layout", "rows");
  auto found = std::find(std::begin(layoutNames), std::end(layoutNames), layout);
  if (found == std::end(layoutNames))
    return in.refuse(where + "layout", "must be one of rows, zN, zZ, nZ, lt");
  spec.layout = static_cast<Layout>(found - std::begin(layoutNames));
}

void readMemories(Reader &in, Device &device) {
  const json &memories = in.object(in.root, "memory");
  for (const auto &[key, entry] : memories.items())
    readMemory(in, device, key, entry);
  for (MemorySpec &spec : device.memory) {
    if (spec.name.empty() || spec.bytes)
      continue;
    spec.bytes = device.spec(spec.same).bytes;
    if (!spec.bytes || device.spec(spec.same).same != spec.same)
      in.refuse("memory." + spec.name, "is an alias of a memory that the device does not have");
  }
}

void readGlobal(Reader &in, Device &device) {
  const json &gm = in.object(in.root, "gm"), &l2 = in.object(in.root, "l2");
  GlobalSpec &global = device.global;
  double gigabytes = 1e3 / device.clockMhz; // GB/s to bytes a cycle
  global.bytes = in.whole(gm, "gm.", "bytes", 1 << 16, double(1ull << 39));
  global.read = in.number(gm, "gm.", "read_GBps", 1, 1e6) * gigabytes;
  global.readWrite = in.number(gm, "gm.", "readwrite_GBps", 1, 1e6) * gigabytes;
  global.misaligned = in.number(gm, "gm.", "misaligned_factor", 0.01, 1);
  global.l2Bytes = in.whole(l2, "l2.", "bytes", 1 << 12, double(1ull << 32));
  global.line = in.whole(l2, "l2.", "line", 32, 4096);
  global.ways = in.whole(l2, "l2.", "ways", 1, 32, 16);
  unsigned cores = device.groups * std::max(device.aicPerGroup, 1u);
  global.l2Read = in.number(l2, "l2.", "read_B_per_cycle_core", 1, 1e4) * cores;
  global.l2Write = in.number(l2, "l2.", "write_B_per_cycle_core", 1, 1e4) * cores;
  global.shortRow =
      static_cast<uint64_t>(in.number(l2, "l2.", "short_row_bytes", 0, 1e6, global.line));
  global.sharedLines = in.number(l2, "l2.", "shared_lines_per_cycle", 0, 1e4, 0);
  global.hitCycles = in.number(l2, "l2.", "hit_latency_cycles", 0, 1e5);
  global.missCycles = in.number(l2, "l2.", "miss_extra_cycles", 0, 1e5);
  if (global.line & (global.line - 1))
    in.refuse("l2.line", "must be a power of two");
}

void readPaths(Reader &in, Device &device) {
  for (const json &entry : in.list(in.root, "", "paths")) {
    std::string where = text("paths[", device.paths.size(), "].");
    PathSpec path;
    path.pipe = in.pipe(in.string(entry, where, "pipe"), where + "pipe");
    path.from = in.space(entry, where, "from");
    path.to = in.space(entry, where, "to");
    path.headCycles = in.number(entry, where, "head_cycles", 0, 1e5);
    path.rowCycles = in.number(entry, where, "row_cycles", 0, 1e5, 0);
    path.missedBytesPerCycle = in.number(entry, where, "missed_B_per_cycle", 0, 1e6, 0);
    path.missedRowCycles = in.number(entry, where, "missed_row_cycles", 0, 1e5, 0);
    bool inCycles = in.at(entry, "B_per_cycle");
    double rate = in.number(entry, where, inCycles ? "B_per_cycle" : "GiBps", 0.01, 1e6);
    path.bytesPerCycle = inCycles ? rate : rate * gib / (device.clockMhz * 1e6);
    device.paths.push_back(path);
  }
}

void readCube(Reader &in, Device &device) {
  const json &cube = in.object(in.root, "cube");
  device.cube.headCycles = in.number(cube, "cube.", "head_cycles", 0, 1e4);
  device.cube.maxExtent = in.whole(cube, "cube.", "max_mkn", 16, 65535);
  for (const json &entry : in.list(cube, "cube.", "tiles")) {
    std::string where = text("cube.tiles[", device.cube.tiles.size(), "].");
    CubeTile tile;
    tile.a = in.dtype(in.string(entry, where, "a"), where + "a");
    tile.b = in.dtype(in.string(entry, where, "b"), where + "b");
    tile.c = in.dtype(in.string(entry, where, "c"), where + "c");
    tile.m = in.whole(entry, where, "m", 1, 256);
    tile.k = in.whole(entry, where, "k", 1, 256);
    tile.n = in.whole(entry, where, "n", 1, 256);
    tile.cycles = in.number(entry, where, "cycles", 0.01, 1e4);
    device.cube.tiles.push_back(tile);
  }
}

uint32_t readTypes(Reader &in, const json &object, const std::string &key) {
  uint32_t set = 0;
  for (const json &type : in.list(object, "vector.", key))
    set |= 1u << static_cast<unsigned>(
               in.dtype(type.is_string() ? type.get<std::string>() : "", "vector." + key));
  return set;
}

void readCasts(Reader &in, VectorSpec &vector, const json &casts) {
  for (const auto &[from, list] : casts.items()) {
    uint32_t &set = vector.casts[in.dtype(from, "vector.casts")];
    for (const json &to : list)
      set |= 1u << static_cast<unsigned>(
                 in.dtype(to.is_string() ? to.get<std::string>() : "", "vector.casts." + from));
  }
}

void readCosts(Reader &in, VectorSpec &vector, const json &costs) {
  for (const auto &[mnemonic, pair] : costs.items()) {
    const OpInfo *info = opNamed(mnemonic);
    bool good = pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[1].is_number() &&
                pair[0].get<double>() >= 0 && pair[1].get<double>() >= 0;
    if (!good || (!info && mnemonic != "default")) {
      in.refuse("vector.costs." + mnemonic, "must be an instruction with [slope, head] in cycles");
      continue;
    }
    VectorCost cost{pair[0].get<double>(), pair[1].get<double>()};
    (info ? vector.costs[info->op] : vector.cost) = cost;
  }
}

void readVector(Reader &in, Device &device) {
  const json &entry = in.object(in.root, "vector");
  VectorSpec &vector = device.vector;
  vector.bytesPerCycle = in.whole(entry, "vector.", "bytes_per_cycle", 32, 4096);
  vector.types = readTypes(in, entry, "types");
  vector.histogram = in.at(entry, "histogram") && entry["histogram"] == true;
  vector.pipelined = in.at(entry, "pipelined") && entry["pipelined"] == true;
  vector.readConflictCycles = in.number(entry, "vector.", "read_conflict_cycles", 0, 100);
  vector.writeConflictCycles = in.number(entry, "vector.", "write_conflict_cycles", 0, 100);
  vector.countModeCycles = in.number(entry, "vector.", "count_mode_cycles", 0, 1000);
  vector.bankGroups = in.whole(entry, "vector.", "bank_groups", 1, 256);
  vector.bankBytes = in.whole(entry, "vector.", "bank_bytes", 32, 1 << 20);
  readCasts(in, vector, in.object(entry, "casts"));
  readCosts(in, vector, in.object(entry, "costs"));
}

void readSync(Reader &in, Device &device) {
  const json &sync = in.object(in.root, "sync");
  std::string kind = in.string(sync, "sync.", "kind");
  if (kind != "event-flags" && kind != "class-barriers")
    in.refuse("sync.kind", "must be event-flags or class-barriers");
  device.sync.kind = kind == "event-flags" ? SyncKind::EventFlags : SyncKind::ClassBarriers;
  device.sync.eventsPerPair = in.whole(sync, "sync.", "events_per_pair", 0, 8);
  device.sync.crossFlags = in.whole(sync, "sync.", "cross_flags", 0, 16);
  device.sync.crossMax = in.whole(sync, "sync.", "cross_counter_max", 1, 255);
  device.sync.crossCycles = in.number(sync, "sync.", "cross_latency_cycles", 0, 1e6);
  const json &launch = in.object(in.root, "launch");
  device.launchMicroseconds = in.number(launch, "launch.", "head_us", 0, 1e5);
  device.startSkew = in.number(launch, "launch.", "start_skew_cycles", 0, 1e6, 0);
  device.launchPerGroup = in.number(launch, "launch.", "per_group_us", 0, 1e3);
  device.scalarLoadCycles = in.number(launch, "launch.", "scalar_load_cycles", 0, 1e5);
}

} // namespace

const CubeTile *CubeSpec::find(DType a, DType b) const {
  for (const CubeTile &tile : tiles)
    if (tile.a == a && tile.b == b)
      return &tile;
  return nullptr;
}

const PathSpec *Device::path(Pipe pipe, Space from, Space to) const {
  for (const PathSpec &path : paths)
    if (path.pipe == pipe && path.from == from && path.to == to)
      return &path;
  return nullptr;
}

const PathSpec *Device::pathOf(const Instruction &transfer) const {
  const OpInfo &info = infoOf(transfer.op);
  for (const OperandInfo &from : info.operands)
    if (from.kind == OperandKind::Address && from.reads)
      if (const PathSpec *found = path(transfer.pipe, from.space, info.operands[0].space))
        return found;
  return nullptr;
}

Result<Device> parseDevice(std::string_view text) {
  json root = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded() || !root.is_object())
    return error("device description: is not a JSON object");
  Reader in(root);
  if (in.string(root, "", "schema") != "npu-sim/1")
    in.refuse("schema", "must be \"npu-sim/1\"");
  Device device;
  device.name = in.string(root, "", "name");
  device.arch = in.string(root, "", "arch");
  device.description = in.string(root, "", "description", "-");
  readCores(in, device);
  readMemories(in, device);
  readGlobal(in, device);
  readPaths(in, device);
  readCube(in, device);
  readVector(in, device);
  readSync(in, device);
  if (!in.failure.empty())
    return Error{in.failure};
  return device;
}

Result<Device> builtinDevice(std::string_view name) {
  std::string_view text = builtinDeviceText(name);
  if (!text.empty())
    return parseDevice(text);
  std::string known;
  for (std::string_view each : builtinDeviceNames())
    known += npu::text(known.empty() ? "" : ", ", each);
  return error("device '", name, "' is not built in; known are ", known);
}

} // namespace npu
