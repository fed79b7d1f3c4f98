// The host's CPU through our own backend. Many cases become steps of one program that share their
// kernels: to fold the constants of each case into copies of them, as it is done for models, takes
// a hundred times longer. A sample of the cases is compiled like that.
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "llvm/Support/xxhash.h"

#include "backends/x86/annotate.h"
#include "backends/x86/compile.h"
#include "base/status.h"
#include "passes/pipeline.h"
#include "runtime/cpu/device.h"
#include "tests/conformance/targets/kernel_objects.h"
#include "tests/conformance/targets/memory.h"
#include "tests/conformance/targets/target.h"
#include "tools/compiler/diagnostics.h"
#include "tools/compiler/targets.h"

namespace lathe::conformance {
namespace {

using mlir::func::FuncOp;

// Code and weights of a batch.
struct Batch {
  std::shared_ptr<runtime::Device> device;
  std::string code;
  std::vector<uint8_t> weight_bytes;
  runtime::DeviceBuffer weights;
  runtime::Executable executable;
};

// Of both functions of a case.
struct Sizes {
  uint64_t arena = 0, state = 0;
};

// A case as it is compiled: the backend rewrites it, and the interpreter runs what was there
// before.
struct Planned {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Sizes sizes;
};

class LoadedCase : public Loaded {
public:
  LoadedCase(std::shared_ptr<Batch> batch, const Program &program, std::string prefix, Sizes sizes)
      : batch_(std::move(batch)), program_(program), prefix_(std::move(prefix)), sizes_(sizes) {}

  absl::StatusOr<std::vector<reference::Tensor>> run(size_t step) override;

private:
  absl::Status allocate();
  int64_t columns() const;

  std::shared_ptr<Batch> batch_;
  const Program &program_;
  std::string prefix_;
  Sizes sizes_;
  std::vector<GuardedBuffer> buffers_; // in the order of kernels/frame.h
};

int64_t LoadedCase::columns() const {
  int64_t columns = 0;
  for (const Result &result : program_.results())
    columns += result.columns;
  return columns;
}

absl::Status LoadedCase::allocate() {
  uint64_t rows = 1;
  for (const Step &step : program_.spec().steps)
    rows = std::max<uint64_t>(rows, step.rows);
  const uint64_t sizes[] = {4 * rows,    4 * rows, 4 * rows, 4 * rows, 4 * rows * columns(),
                            sizes_.arena};
  for (uint64_t size : sizes) {
    LATHE_ASSIGN_OR_RETURN(GuardedBuffer buffer, GuardedBuffer::make(*batch_->device, size, false));
    buffers_.push_back(std::move(buffer));
  }
  LATHE_ASSIGN_OR_RETURN(GuardedBuffer state,
                         GuardedBuffer::make(*batch_->device, sizes_.state, true));
  buffers_.push_back(std::move(state));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<reference::Tensor>> LoadedCase::run(size_t step) {
  if (buffers_.empty())
    LATHE_RETURN_IF_ERROR(allocate());
  const Step &of = program_.spec().steps[step];
  for (size_t i = 0; i < 4; ++i)
    LATHE_RETURN_IF_ERROR(buffers_[i].write(bytesOf(program_.inputs()[i].value(step))));
  LATHE_RETURN_IF_ERROR(buffers_[4].spoil());
  LATHE_ASSIGN_OR_RETURN(uint32_t entry,
                         batch_->executable.entry(prefix_ + Program::functionName(of)));
  std::vector<lathe_binding> bindings;
  for (const GuardedBuffer &buffer : buffers_)
    bindings.push_back(buffer.binding());
  bindings.insert(bindings.end() - 1, batch_->weights.binding());
  LATHE_RETURN_IF_ERROR(
      batch_->device->run(batch_->executable, entry, bindings, of.rows, of.output_rows));
  LATHE_RETURN_IF_ERROR(buffers_[4].checkGuard("its result"));
  LATHE_RETURN_IF_ERROR(buffers_[5].checkGuard("the arena"));
  LATHE_RETURN_IF_ERROR(buffers_[6].checkGuard("the state"));
  const int64_t rows = program_.results().front().rowsIn(of);
  std::vector<uint8_t> bytes(4 * rows * columns());
  LATHE_RETURN_IF_ERROR(buffers_[4].checkUnwritten("its result", bytes.size()));
  LATHE_RETURN_IF_ERROR(buffers_[4].read(absl::MakeSpan(bytes)));
  return program_.split(tensorOf(bytes, rows, columns(), false));
}

// Cases of a batch that are compiled alike.
using Group = std::vector<size_t>;

class X86 : public Target {
public:
  X86(const x86::Level &level, std::shared_ptr<runtime::Device> device, bool specialise)
      : level_(level), device_(std::move(device)), specialise_(specialise) {}

  RowsFrom rowsFrom() const override { return RowsFrom::table; }
  size_t batch() const override { return specialise_ ? 16 : 400; }
  std::vector<Prepared> prepare(absl::Span<Program *const> programs) override;

private:
  bool isSpecialised(const Program &program) const;
  Prepared select(const Program &program, Planned &planned) const;
  void load(absl::Span<Program *const> programs, const Group &group, llvm::StringRef kernels,
            const std::vector<Planned> &planned, std::vector<Prepared> &answers) const;
  absl::Status compile(absl::Span<Program *const> programs, const Group &group,
                       llvm::StringRef kernels, const std::vector<Planned> &planned,
                       Batch &batch) const;

  const x86::Level &level_;
  std::shared_ptr<runtime::Device> device_;
  bool specialise_;
};

std::string prefixOf(size_t index) { return absl::StrCat("case", index, "."); }

x86::TensorLookup lookupIn(std::vector<const Program *> programs) {
  return [=](llvm::StringRef name) -> absl::StatusOr<absl::Span<const uint8_t>> {
    for (const Program *program : programs)
      if (auto found = program->bytes(name); found.ok())
        return found;
    return absl::NotFoundError(absl::StrCat("no case has a tensor ", name.str()));
  };
}

uint64_t sizeOf(FuncOp function, llvm::StringRef name) {
  auto attribute = function->getAttrOfType<mlir::IntegerAttr>(name);
  return attribute ? attribute.getInt() : 0;
}

// Plans the program's memory and tries whether each op has a kernel.
Prepared X86::select(const Program &program, Planned &planned) const {
  Prepared answer;
  compiler::CollectedDiagnostics diagnostics(*program.module().getContext());
  if (!program.unfitForTable().empty()) {
    answer.skipped =
        absl::StrCat("unsupported_op: not an entry of the host's code: ", program.unfitForTable());
    return answer;
  }
  planned.module = program.module().clone();
  for (FuncOp function : planned.module->getOps<FuncOp>())
    x86::annotateForPlanning(function);
  x86::WeightPlan plan(lookupIn({&program}));
  auto nowhere = [](absl::Span<const uint8_t>) { return absl::OkStatus(); };
  auto go_on = [](const x86::PackedCopy &, const std::vector<std::string> &) { return true; };
  if (mlir::failed(passes::plan(*planned.module)) ||
      mlir::failed(x86::selectProgram(*planned.module, level_, plan))) {
    const std::string why(diagnostics.status("").message());
    if (absl::StrContains(why, "has no kernel on x86"))
      answer.skipped = absl::StrCat("unsupported_op", why.substr(0, why.find("; the fusion")));
    else
      answer.failed = diagnostics.status("selecting kernels");
    return answer;
  }
  answer.failed = plan.pack(nowhere, go_on);
  Sizes &sizes = planned.sizes;
  for (FuncOp function : planned.module->getOps<FuncOp>()) {
    sizes.arena = std::max(sizes.arena, sizeOf(function, "lathe.arena_bytes"));
    sizes.state = std::max(sizes.state, sizeOf(function, "lathe.state_bytes"));
  }
  return answer;
}

absl::Status X86::compile(absl::Span<Program *const> programs, const Group &group,
                          llvm::StringRef kernels, const std::vector<Planned> &planned,
                          Batch &batch) const {
  mlir::MLIRContext &context = *programs[0]->module().getContext();
  compiler::CollectedDiagnostics diagnostics(context);
  mlir::OwningOpRef<mlir::ModuleOp> all = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  for (size_t i : group)
    for (FuncOp function : planned[i].module.get().getOps<FuncOp>()) {
      FuncOp copy = function.clone();
      copy.setName(prefixOf(i) + function.getName().str());
      all->push_back(copy);
    }
  x86::WeightPlan weights(lookupIn({programs.begin(), programs.end()}));
  auto program = x86::selectProgram(*all, level_, weights);
  if (mlir::failed(program))
    return diagnostics.status("selecting kernels");
  LATHE_ASSIGN_OR_RETURN(batch.code, x86::makeCode(*program, level_, kernels));
  auto sink = [&](absl::Span<const uint8_t> bytes) {
    batch.weight_bytes.insert(batch.weight_bytes.end(), bytes.begin(), bytes.end());
    return absl::OkStatus();
  };
  LATHE_RETURN_IF_ERROR(weights.pack(
      sink, [](const x86::PackedCopy &, const std::vector<std::string> &) { return true; }));
  batch.device = device_;
  LATHE_ASSIGN_OR_RETURN(batch.weights, device_->allocate(batch.weight_bytes.size(), 0, 64));
  LATHE_ASSIGN_OR_RETURN(void *memory, batch.weights.map(LATHE_MAP_WRITE));
  std::copy(batch.weight_bytes.begin(), batch.weight_bytes.end(), static_cast<uint8_t *>(memory));
  LATHE_RETURN_IF_ERROR(batch.weights.unmap());
  const auto *code = reinterpret_cast<const uint8_t *>(batch.code.data());
  LATHE_ASSIGN_OR_RETURN(batch.executable,
                         device_->load({code, batch.code.size()}, level_.compatibility.str()));
  return absl::OkStatus();
}

// Where a group does not compile, its halves say whose fault that is.
void X86::load(absl::Span<Program *const> programs, const Group &group, llvm::StringRef kernels,
               const std::vector<Planned> &planned, std::vector<Prepared> &answers) const {
  if (group.empty())
    return;
  auto batch = std::make_shared<Batch>();
  const absl::Status compiled = compile(programs, group, kernels, planned, *batch);
  if (!compiled.ok() && group.size() > 1) {
    const auto middle = group.begin() + static_cast<std::ptrdiff_t>(group.size() / 2);
    load(programs, {group.begin(), middle}, kernels, planned, answers);
    return load(programs, {middle, group.end()}, kernels, planned, answers);
  }
  for (size_t i : group)
    if (compiled.ok())
      answers[i].loaded =
          std::make_unique<LoadedCase>(batch, *programs[i], prefixOf(i), planned[i].sizes);
    else
      answers[i].failed = compiled;
}

// A case is always compiled in the same way, alone or in company: one in 32 as models are.
bool X86::isSpecialised(const Program &program) const {
  return specialise_ || llvm::xxh3_64bits(program.spec().name) % 32 == 0;
}

std::vector<Prepared> X86::prepare(absl::Span<Program *const> programs) {
  std::vector<Prepared> answers;
  std::vector<Planned> planned(programs.size());
  Group shared, specialised;
  for (size_t i = 0; i < programs.size(); ++i) {
    answers.push_back(select(*programs[i], planned[i]));
    if (answers[i].skipped.empty() && answers[i].failed.ok())
      (isSpecialised(*programs[i]) ? specialised : shared).push_back(i);
  }
  load(programs, shared, kernelObject(level_.name), planned, answers);
  load(programs, specialised, {}, planned, answers);
  return answers;
}

} // namespace

absl::StatusOr<std::unique_ptr<Target>> openX86(const TargetOptions &options) {
  std::vector<std::string> names;
  if (!options.target.empty() && options.target != "x86")
    names.push_back(options.target);
  LATHE_ASSIGN_OR_RETURN(auto levels, compiler::chooseTargets(names, /*integer_rows=*/true));
  LATHE_ASSIGN_OR_RETURN(auto device, runtime::createCpuDevice({options.threads}));
  return std::make_unique<X86>(*levels.front(), std::move(device), options.specialise);
}

} // namespace lathe::conformance
