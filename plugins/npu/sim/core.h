// One core: its scalar unit, memories, pipes with their queues, flags and checks. It knows no time;
// a runner (functional.h, timed.h) decides when the scalar unit steps and when the head of a pipe
// is applied. Whatever order a runner chooses, flags and checks work the same.
#pragma once

#include "device/device.h"
#include "sim/footprint.h"
#include "sim/memory.h"
#include "sim/shadow.h"

#include <deque>

namespace npu {

// What all cores of a launch share and only read.
struct LaunchContext {
  const Device &device;
  const Kernel &kernel;
  const GlobalMemory &gm;
  std::vector<uint64_t> args; // the workspace is the last
  unsigned blocks = 1;
  bool checks = true; // uninitialised reads and hazards; bounds and alignment are always checked
  bool data = true;   // compute; otherwise only what decides the time is done
  uint64_t maxSteps =
      uint64_t{1} << 30; // scalar instructions of a core; a program that loops for ever ends
};

// The storage of one core. Made once and used for one block after the other.
struct CoreMemory {
  struct Bank {
    std::unique_ptr<std::byte[]> data;
    uint64_t bytes = 0, touched = 0; // beyond `touched` nothing was written in this block
    InitMap written;
    Shadow shadow;
  };
  std::array<Bank, numSpaces> banks; // by the role that has the storage
  explicit CoreMemory(const Device &device, CoreKind kind);
  void reset();
};

// An access to global memory, for the check across cores at the end (global_hazards.h).
struct GlobalAccess {
  Access access;
  Toucher by;
  uint32_t core;
  Clock clock;
};

// A cross-core flag that was set and is not yet delivered.
struct CrossEvent {
  unsigned core, mode, id;
  std::shared_ptr<const RemoteCounts> counts;
};

class Core final : public IndexReader {
public:
  enum class Step { Issued, Advanced, Blocked, Done };

  // `number` counts cores over all blocks; `sub` is its place among cores of its kind in the group.
  Core(const LaunchContext &launch, CoreMemory &memory, CoreKind kind, unsigned number,
       unsigned block, unsigned sub);

  // Executes the next scalar instruction, or hands one to its pipe. Blocked leaves it for later.
  Step step();
  const Instruction &next() const {
    static const Instruction nothing;
    return code.empty() ? nothing : code[pc];
  }
  Pipe lastPipe() const { return issuedTo; } // of the last step that gave Issued

  // Pipes. The runner applies the head once ready() says so, then pops it.
  bool empty(Pipe pipe) const { return pipes[index(pipe)].count == 0; }
  const Issued &head(Pipe pipe) const;
  Issued &tail(Pipe pipe); // the last one handed over
  void pop(Pipe pipe);
  bool ready(const Issued &issued, Pipe pipe) const;
  void apply(const Issued &issued, Pipe pipe);
  // Set while the runner works on the head of a pipe; barriers wait for it.
  void setBusy(Pipe pipe, bool busy) { pipes[index(pipe)].busy = busy; }
  bool idle(Pipe pipe) const { return empty(pipe) && !pipes[index(pipe)].busy; }
  bool allIdle() const;
  // Where only the scalar instruction's own memory access is wanted to be at the right time.
  static bool scalarTouchesOthers(const Instruction &instruction);

  // Cross-core flags and the barrier of the whole launch.
  std::vector<CrossEvent> outbox;
  void deliver(unsigned id, const std::shared_ptr<const RemoteCounts> &counts);
  bool atGridBarrier() const { return arrived || code.empty(); }
  Clock gridClock() const { return scalar; }
  void releaseGrid(const std::shared_ptr<const RemoteCounts> &counts);

  // The first fault; an empty message means none.
  const std::string &fault() const { return faultText; }
  bool done() const { return finished && allIdle(); }
  // What each pipe that has work left waits for, one line each.
  std::string waitReport() const;
  void checkLeaks(); // flags that are still set at the end are a fault

  // Bounds, alignment and overlap of an instruction; gives its footprint.
  Status validate(const Issued &issued, Footprint &out) const;

  int32_t indexAt(uint64_t ubAddress) const override;
  std::byte *bytesAt(Space space, uint64_t address) const;
  std::string name() const;
  std::string describe(const Issued &issued, Pipe pipe) const;

  const LaunchContext &launch;
  const CoreKind kind;
  const unsigned number, block, sub;
  std::vector<GlobalAccess> globalAccesses;
  std::vector<std::pair<uint32_t, int64_t>> marks; // prof.mark: instruction, id

private:
  struct Flag {
    bool set = false;
    uint32_t setBy = 0;
    uint32_t clearedBy = 0, clearedAt = 0; // the last wait: its instruction, its place in the pipe
    Clock clock;
  };
  struct PipeState {
    std::vector<Issued> slots;
    unsigned first = 0, count = 0;
    bool busy = false;
    uint32_t sequence = 0; // instructions that touched memory, and waits
    Clock clock;
  };
  static unsigned index(Pipe pipe) { return static_cast<unsigned>(pipe); }

  void resolve(const Instruction &instruction, Issued &issued);
  int64_t value(const Instruction &instruction, unsigned operand) const {
    int64_t raw = instruction.operands[operand];
    return instruction.isRegister(operand) ? registers[raw] : raw;
  }
  void executeScalar(const Instruction &instruction);
  void executeControl(const Instruction &instruction);
  Step scalarMemory(const Instruction &instruction);
  Step scalarSync(const Instruction &instruction);
  Step gridBarrier();
  bool idleClasses(int64_t mask) const;
  void learnAll(int64_t classMask);
  int64_t identity(Id what) const;

  void applySync(const Issued &issued, Pipe pipe);
  void clearFlag(const Issued &issued, Pipe pipe, Flag &flag);
  void raiseFlag(const Issued &issued, Pipe pipe, Flag &flag);
  void perform(const Issued &issued, Pipe pipe);
  Status checkMemory(const Issued &issued, Pipe pipe, const Footprint &accesses);
  Status checkHazards(const Issued &issued, Pipe pipe, const Access &access, Shadow &shadow);
  Status checkWritten(const Access &access) const;
  void noteWritten(const Access &access);
  Status inBounds(const Issued &issued, const Access &access) const;
  Status aligned(const Issued &issued, const Access &access) const;
  Status apart(const Issued &issued, const Footprint &accesses) const;
  std::string bufferName(Space space, uint64_t address) const;
  void fail(const Issued &issued, Pipe pipe, const std::string &problem);
  Flag &flagOf(const Issued &issued);
  Clock &clockOf(Pipe pipe) { return pipe == Pipe::S ? scalar : pipes[index(pipe)].clock; }

  const std::vector<Instruction> &code;
  CoreMemory &memory;
  std::array<int64_t, numRegisters> registers{};
  std::array<PipeState, numPipes> pipes;
  std::vector<uint32_t> calls;
  uint32_t pc = 0;
  uint64_t steps = 0;
  Pipe issuedTo = Pipe::S;
  bool finished = false, arrived = false, released = false;
  Clock scalar;
  std::vector<Flag> flags; // (src * numPipes + dst) * 8 + event
  struct CrossFlag {
    std::deque<std::shared_ptr<const RemoteCounts>> counts;
  };
  std::array<CrossFlag, 16> cross;
  std::array<uint32_t, numPipes> unitIssued{}, unitApplied{};
  Issued scratch; // of the scalar unit
  Footprint accesses;
  std::string faultText;
};

// Computes one instruction on the memories of its core (execute*.cpp). The footprint was validated.
void execute(Core &core, const Issued &issued);
void executeTransfer(Core &core, const Issued &issued);
void executeCube(Core &core, const Issued &issued);
void executeFix(Core &core, const Issued &issued);
void executeVector(Core &core, const Issued &issued);
void executePermute(Core &core, const Issued &issued);

} // namespace npu
