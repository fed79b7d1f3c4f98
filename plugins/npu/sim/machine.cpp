#include "sim/machine.h"
#include "sim/cost.h"
#include "sim/functional.h"
#include "sim/timed.h"

#include <atomic>
#include <cstring>
#include <thread>

namespace npu {

struct Machine::State {
  explicit State(Device description) : device(std::move(description)), gm(device.global.bytes) {}

  void makeMemories(unsigned groups) {
    while (memories.size() < groups) {
      auto &group = memories.emplace_back();
      for (unsigned i = 0; i < device.aicPerGroup; ++i)
        group.emplace_back(device, CoreKind::Aic);
      for (unsigned i = 0; i < device.aivPerGroup; ++i)
        group.emplace_back(device, CoreKind::Aiv);
    }
  }

  Device device;
  GlobalMemory gm;
  std::vector<std::vector<CoreMemory>> memories; // of the groups used so far
};

Machine::Machine() = default;
Machine::~Machine() = default;

Result<std::unique_ptr<Machine>> Machine::create(Device device) {
  std::unique_ptr<Machine> machine(new Machine);
  machine->state = std::make_unique<State>(std::move(device));
  return machine;
}

const Device &Machine::device() const { return state->device; }
GlobalMemory &Machine::memory() { return state->gm; }

static Result<const GlobalMemory::Allocation *> rangeOf(const GlobalMemory &gm, uint64_t address,
                                                        uint64_t bytes) {
  const GlobalMemory::Allocation *found = gm.find(address);
  if (!found || bytes > found->end() - address)
    return error("device memory: ", bytes, " bytes at ", Hex{address},
                 " are not all in one buffer");
  if (!found->data)
    return error("device memory: the buffer at ", Hex{found->base}, " has an address only");
  return found;
}

Status Machine::write(uint64_t address, std::span<const std::byte> source) {
  NPU_ASSIGN_OR_RETURN(const GlobalMemory::Allocation *to,
                       rangeOf(state->gm, address, source.size()));
  if (to->readOnly)
    return error("device memory: the buffer at ", Hex{to->base}, " is read-only");
  uint64_t offset = address - to->base;
  std::memcpy(to->data + offset, source.data(), source.size());
  if (!to->allWritten)
    to->written.mark(offset, offset + source.size());
  return {};
}

Status Machine::read(uint64_t address, std::span<std::byte> target) const {
  NPU_ASSIGN_OR_RETURN(const GlobalMemory::Allocation *from,
                       rangeOf(state->gm, address, target.size()));
  uint64_t offset = address - from->base, end = offset + target.size();
  if (uint64_t missing = from->allWritten ? end : from->written.firstMissing(offset, end);
      missing < end)
    return error("device memory: ", Hex{from->base + missing}, " is read and was never written");
  std::memcpy(target.data(), from->data + offset, target.size());
  return {};
}

namespace {

Status checkArgs(const GlobalMemory &gm, const Kernel &kernel, std::span<const uint64_t> args,
                 uint64_t workspace) {
  if (args.size() != kernel.args.size())
    return error("kernel '", kernel.name, "': was given ", args.size(), " arguments, it takes ",
                 kernel.args.size());
  auto holds = [&](uint64_t address, uint64_t bytes, std::string_view what) -> Status {
    const GlobalMemory::Allocation *found = gm.find(address);
    if (found && bytes <= found->end() - address)
      return {};
    return error("kernel '", kernel.name, "': ", what, " at ", Hex{address}, " has ",
                 found ? found->end() - address : 0, " bytes, it needs ", bytes);
  };
  for (size_t i = 0; i < args.size(); ++i)
    if (kernel.args[i].kind == ArgKind::Buffer)
      NPU_RETURN_IF_ERROR(holds(args[i], kernel.args[i].bytes, kernel.args[i].name));
  return kernel.workspaceBytes ? holds(workspace, kernel.workspaceBytes, "the workspace")
                               : Status();
}

// Cores that wait for each other must all be there at the same time.
Status checkBlocks(const Device &device, const Kernel &kernel, unsigned blocks) {
  if (blocks == 0 || blocks > 1u << 20)
    return error("kernel '", kernel.name, "': ", blocks, " blocks; launch 1 to ", 1u << 20);
  if (blocks <= device.groups)
    return {};
  for (CoreKind core : {CoreKind::Aic, CoreKind::Aiv})
    for (const Instruction &in : kernel.code(core))
      if (in.op == Op::SyncAll || (in.op == Op::Xset && (in.isRegister(1) || in.operands[1] == 0)))
        return error("kernel '", kernel.name, "': meets all cores (", disassemble(in),
                     "), so it takes at most ", device.groups, " blocks; it was launched with ",
                     blocks);
  return {};
}

ParallelFor onThreads(unsigned threads) {
  return [threads](unsigned count, const std::function<void(unsigned)> &work) {
    std::atomic<unsigned> next{0};
    auto drain = [&] {
      for (unsigned i; (i = next.fetch_add(1)) < count;)
        work(i);
    };
    std::vector<std::thread> helpers;
    for (unsigned i = 1; i < std::min(threads, count); ++i)
      helpers.emplace_back(drain);
    drain();
    for (std::thread &helper : helpers)
      helper.join();
  };
}

} // namespace

Result<Report> Machine::launch(const Kernel &kernel, std::span<const uint64_t> args,
                               uint64_t workspace, const LaunchOptions &options) {
  NPU_RETURN_IF_ERROR(fits(state->device, kernel));
  NPU_RETURN_IF_ERROR(checkArgs(state->gm, kernel, args, workspace));
  NPU_RETURN_IF_ERROR(checkBlocks(state->device, kernel, options.blocks));
  bool data = options.mode != Mode::TimingOnly;
  LaunchContext context{state->device,  kernel,
                        state->gm,      {args.begin(), args.end()},
                        options.blocks, options.checks && data,
                        data,           options.maxInstructions};
  context.args.push_back(workspace);
  state->makeMemories(std::min(options.blocks, state->device.groups));
  Report report;
  NPU_RETURN_IF_ERROR(options.mode == Mode::Functional
                          ? runFunctional(context, state->memories, onThreads(options.threads))
                          : runTimed(context, state->memories, options.trace, report));
  return report;
}

} // namespace npu
