#include "backends/x86/object.h"

#include <mutex>

#include "lld/Common/Driver.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/Internalize.h"

#include "backends/x86/kernels/bitcode.h"
#include "base/status.h"
#include "runtime/abi/cpu_executable.h"

LLD_HAS_DRIVER(elf)

namespace lathe::x86 {
namespace {

constexpr const char *kTriple = "x86_64-unknown-linux-gnu";

absl::Status internal(const llvm::Twine &what) { return absl::InternalError(what.str()); }

absl::StatusOr<std::unique_ptr<llvm::TargetMachine>> makeTargetMachine(const Level &level) {
  static std::once_flag initialised;
  std::call_once(initialised, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  std::string error;
  llvm::Triple triple(kTriple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return internal("llvm knows no target " + llvm::Twine(kTriple) + ": " + error);
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, level.cpu, level.features, llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

absl::StatusOr<std::unique_ptr<llvm::Module>> translate(mlir::ModuleOp module,
                                                        llvm::LLVMContext &context) {
  mlir::registerBuiltinDialectTranslation(*module.getContext());
  mlir::registerLLVMDialectTranslation(*module.getContext());
  std::unique_ptr<llvm::Module> result = mlir::translateModuleToLLVMIR(module, context, "step");
  if (!result)
    return internal("the step program does not translate to LLVM IR");
  return result;
}

absl::Status linkKernels(llvm::Module &module, const Level &level) {
  llvm::MemoryBufferRef bitcode(kernelBitcode(level.name), level.name);
  auto kernels = llvm::parseBitcodeFile(bitcode, module.getContext());
  if (!kernels)
    return internal("the kernels of " + level.name + ": " + llvm::toString(kernels.takeError()));
  if (llvm::Linker::linkModules(module, std::move(*kernels), llvm::Linker::LinkOnlyNeeded))
    return internal("the kernels of " + level.name + " do not link with the step program");
  llvm::internalizeModule(module, [](const llvm::GlobalValue &value) {
    return value.getName() == LATHE_CPU_EXECUTABLE_SYMBOL;
  });
  return absl::OkStatus();
}

// Inlining needs one feature set on caller and callee, and a caller without library functions where
// the callee is (the kernels are freestanding).
void setFeatures(llvm::Module &module, const Level &level) {
  for (llvm::Function &function : module) {
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("tune-cpu");
    function.removeFnAttr("target-features");
    if (function.isDeclaration())
      continue;
    function.addFnAttr("no-builtins");
    function.addFnAttr("target-cpu", level.cpu);
    if (!level.features.empty())
      function.addFnAttr("target-features", level.features);
    function.addFnAttr("prefer-vector-width", level.name == "x86-64-v3" ? "256" : "512");
  }
}

// A kernel has the code for every form of its parameters. What constants rule out goes before the
// passes over loops see it, which is where the time is. Functions are made small before they are
// inlined: on the large ones that come of it registers are found in more than linear time.
constexpr llvm::StringLiteral kRuledOut =
    "function(simplifycfg,sroa,early-cse),always-inline,globaldce,"
    "function(sroa,early-cse,sccp,simplifycfg),cgscc(inline),"
    "function(sroa,early-cse,instcombine<no-verify-fixpoint>,sccp,simplifycfg)";

void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization =
      false; // kernels are written in vectors: these find nothing and take a sixth
  tuning.SLPVectorization = false; // of the time
  tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::ModulePassManager passes;
  llvm::cantFail(builder.parsePassPipeline(passes, kRuledOut));
  passes.addPass(builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3));
  passes.run(module, modules);
}

absl::StatusOr<llvm::SmallVector<char, 0>> emitObject(llvm::Module &module,
                                                      llvm::TargetMachine &machine) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile))
    return internal("llvm cannot emit objects for " + llvm::Twine(kTriple));
  passes.run(module);
  return object;
}

// A temporary file that goes away with the object.
class TemporaryFile {
public:
  static absl::StatusOr<TemporaryFile> write(llvm::StringRef suffix, llvm::ArrayRef<char> bytes);
  TemporaryFile(TemporaryFile &&other) : path_(std::exchange(other.path_, "")) {}
  ~TemporaryFile() {
    if (!path_.empty())
      llvm::sys::fs::remove(path_);
  }
  const std::string &path() const { return path_; }

private:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

absl::StatusOr<TemporaryFile> TemporaryFile::write(llvm::StringRef suffix,
                                                   llvm::ArrayRef<char> bytes) {
  int descriptor;
  llvm::SmallString<128> path;
  if (auto error = llvm::sys::fs::createTemporaryFile("lathe", suffix, descriptor, path))
    return absl::ResourceExhaustedError("cannot create a temporary file: " + error.message());
  TemporaryFile file(path.str().str());
  llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  stream.write(bytes.data(), bytes.size());
  stream.close();
  if (stream.has_error()) {
    std::string message = stream.error().message();
    stream.clear_error();
    return absl::ResourceExhaustedError(file.path() + ": cannot write: " + message);
  }
  return file;
}

// Of an object with kernels nothing but the entry may be seen from outside.
constexpr llvm::StringLiteral kOneSymbol =
    "{ global: " LATHE_CPU_EXECUTABLE_SYMBOL "; local: *; };";

absl::StatusOr<std::string> linkShared(llvm::ArrayRef<char> object, llvm::StringRef kernels) {
  LATHE_ASSIGN_OR_RETURN(TemporaryFile input, TemporaryFile::write("o", object));
  LATHE_ASSIGN_OR_RETURN(TemporaryFile output, TemporaryFile::write("so", {}));
  LATHE_ASSIGN_OR_RETURN(TemporaryFile library,
                         TemporaryFile::write("o", {kernels.data(), kernels.size()}));
  LATHE_ASSIGN_OR_RETURN(TemporaryFile symbols,
                         TemporaryFile::write("map", {kOneSymbol.data(), kOneSymbol.size()}));
  std::vector<const char *> arguments = {
      "ld.lld",      "-shared", "--gc-sections",       "-z",
      "now",         "-z",      "noexecstack",         "--build-id=none",
      "--strip-all", "-o",      output.path().c_str(), input.path().c_str()};
  if (!kernels.empty())
    arguments.insert(arguments.end(),
                     {library.path().c_str(), "--version-script", symbols.path().c_str()});
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  static std::mutex one_at_a_time; // lld has global state
  std::lock_guard<std::mutex> lock(one_at_a_time);
  lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return internal("ld.lld: " + messages);
  auto buffer = llvm::MemoryBuffer::getFile(output.path());
  if (!buffer)
    return internal(output.path() + ": " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

} // namespace

absl::StatusOr<std::string> makeSharedObject(mlir::ModuleOp module, const Level &level,
                                             llvm::StringRef kernels) {
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<llvm::TargetMachine> machine, makeTargetMachine(level));
  llvm::LLVMContext context;
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<llvm::Module> step, translate(module, context));
  step->setTargetTriple(llvm::Triple(kTriple));
  step->setDataLayout(machine->createDataLayout());
  if (kernels.empty())
    LATHE_RETURN_IF_ERROR(linkKernels(*step, level));
  setFeatures(*step, level);
  optimise(*step, *machine);
  LATHE_ASSIGN_OR_RETURN(auto object, emitObject(*step, *machine));
  return linkShared(object, kernels);
}

} // namespace lathe::x86
