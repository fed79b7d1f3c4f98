// The way of a checkpoint to an artifact. Everything small comes first: what can be refused is
// refused before a byte of weights is packed.
#include "tools/compiler/compile.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "backends/x86/annotate.h"
#include "backends/x86/compile.h"
#include "backends/x86/costs.h"
#include "backends/x86/placed.h"
#include "backends/x86/program_text.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/status.h"
#include "models/import.h"
#include "passes/explain.h"
#include "passes/pipeline.h"
#include "tools/compiler/diagnostics.h"
#include "tools/compiler/manifest.h"
#include "tools/compiler/placed_target.h"
#include "tools/compiler/placement.h"
#include "tools/compiler/sections.h"
#include "tools/compiler/targets.h"

namespace lathe::compiler {
namespace {

using Clock = std::chrono::steady_clock;

// Integers come from --weights alone: no checkpoint that is imported has them.
bool hasIntegerRows(const CompileOptions &options) {
  return options.activations == "w8a8" && (options.weights == "q8_0" || options.weights == "q4_0");
}

class Compilation {
public:
  explicit Compilation(const CompileOptions &options) : options_(options) {
    context_.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
  }

  absl::StatusOr<CompileReport> run();

private:
  struct TargetCode {
    const x86::Level *level;
    x86::Program program;
    absl::StatusOr<std::string> code;
    size_t whole_steps = 0; // of the program's steps those of the whole model come first
    std::vector<x86::PlacedStep> placed;
  };

  absl::Status checkOptions();
  absl::Status import();
  absl::Status optimise();
  absl::Status plan();
  absl::Status placeModel();
  absl::Status selectPlaced(TargetCode &target);
  passes::StageHook dumpHook();
  absl::Status selectTargets();
  void makeCode();
  absl::Status makeTargets();
  absl::Status write();
  absl::Status checkCancelled() const;
  absl::Status dump(llvm::StringRef stage, mlir::ModuleOp module);
  absl::Status timed(double &seconds, absl::Status (Compilation::*step)());
  void progress(absl::string_view stage, uint64_t done = 0, uint64_t total = 0) const {
    if (options_.progress)
      options_.progress(stage, done, total);
  }

  const CompileOptions &options_;
  CompileReport report_;
  mlir::MLIRContext context_{mlir::MLIRContext::Threading::DISABLED};
  std::optional<frontend::Checkpoint> checkpoint_;
  std::vector<const x86::Level *> levels_;
  std::vector<plugin::Target> plugin_targets_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::string portable_, optimised_; // bytecode
  absl::Status dumped_;
  int dumps_ = 0;
  Placement placement_;
  std::optional<x86::WeightPlan> weights_;
  std::vector<TargetCode> targets_;
};

absl::Status Compilation::checkCancelled() const {
  return options_.cancelled && options_.cancelled->load() ? absl::CancelledError("interrupted")
                                                          : absl::OkStatus();
}

absl::Status Compilation::checkOptions() {
  if (options_.activations != "f32" && options_.activations != "bf16" &&
      options_.activations != "w8a8")
    return absl::InvalidArgumentError(
        absl::StrCat("activations '", options_.activations,
                     "' are not known; the known ones are f32, bf16, w8a8"));
  constexpr std::array<absl::string_view, 4> forms = {"q8_0", "q4_0", "fp8", "bf16"};
  if (!options_.weights.empty() && !absl::c_linear_search(forms, options_.weights))
    return absl::InvalidArgumentError(absl::StrCat("weights '", options_.weights,
                                                   "' are not known; the known ones are ",
                                                   absl::StrJoin(forms, ", ")));
  if (!options_.cache.empty() && options_.cache != "f32" && options_.cache != "bf16")
    return absl::InvalidArgumentError(
        absl::StrCat("cache '", options_.cache, "' is not known; the known ones are f32, bf16"));
  if (!options_.force && fileExists(options_.output))
    return absl::AlreadyExistsError(
        absl::StrCat(options_.output, ": is there already; --force replaces it"));
  LATHE_ASSIGN_OR_RETURN(levels_, chooseTargets(options_.targets, hasIntegerRows(options_)));
  LATHE_ASSIGN_OR_RETURN(plugin_targets_, pluginTargets(options_));
  if (!options_.place.empty() && plugin_targets_.empty())
    return absl::InvalidArgumentError(absl::StrCat(
        "--place ", options_.place, ": there is one target only; --target names others"));
  if (options_.strict && plugin_targets_.empty())
    return absl::InvalidArgumentError("--strict: there is one target only; --target names others");
  return absl::OkStatus();
}

static models::CacheElement cacheElement(const CompileOptions &options) {
  const std::string &element = options.cache.empty() ? options.activations : options.cache;
  return element == "bf16" ? models::CacheElement::bf16 : models::CacheElement::f32;
}

absl::Status Compilation::import() {
  progress("importing");
  LATHE_ASSIGN_OR_RETURN(frontend::Checkpoint checkpoint,
                         frontend::Checkpoint::open(options_.checkpoint));
  checkpoint_.emplace(std::move(checkpoint));
  models::ImportOptions choices;
  choices.max_context = options_.max_context;
  choices.cache = cacheElement(options_);
  choices.progress = [&](uint64_t done, uint64_t total) {
    progress("importing", done, total);
    return checkCancelled().ok();
  };
  LATHE_ASSIGN_OR_RETURN(module_, models::importCheckpoint(context_, *checkpoint_, choices));
  LATHE_ASSIGN_OR_RETURN(portable_, bytecodeOf(*module_));
  return dump("portable", *module_);
}

// 03-fuse.mlir, in the order of the stages.
absl::Status Compilation::dump(llvm::StringRef stage, mlir::ModuleOp module) {
  if (options_.dump_stages.empty())
    return absl::OkStatus();
  std::error_code error;
  std::filesystem::create_directories(options_.dump_stages, error);
  std::string number = absl::StrCat(dumps_ < 10 ? "0" : "", dumps_), text;
  ++dumps_;
  llvm::raw_string_ostream stream(text);
  module.print(stream, mlir::OpPrintingFlags().printNameLocAsPrefix());
  LATHE_ASSIGN_OR_RETURN(FileWriter file,
                         FileWriter::create(absl::StrCat(options_.dump_stages, "/", number, "-",
                                                         stage.str(), ".mlir")));
  LATHE_RETURN_IF_ERROR(file.write(text.data(), text.size()));
  return file.commit();
}

static bool anyWeightConverted(mlir::ModuleOp module) {
  return module
      .walk([](ir::WeightOp op) {
        return op.getStored() ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
      })
      .wasInterrupted();
}

absl::Status Compilation::optimise() {
  progress("optimising");
  CollectedDiagnostics diagnostics(context_);
  passes::Options options;
  options.activations = options_.activations;
  options.weights = options_.weights;
  options.mla_form = options_.mla_form;
  options.prefill_chunk = options_.prefill_chunk;
  x86::setCosts(*module_, levels_);
  if (failed(passes::optimise(*module_, options, dumpHook())))
    return diagnostics.status("optimising");
  LATHE_RETURN_IF_ERROR(dumped_);
  if (!options_.weights.empty() && !anyWeightConverted(*module_) && options_.note)
    options_.note(absl::StrCat("--weights ", options_.weights,
                               " changes nothing: no product has weights of another form"));
  LATHE_ASSIGN_OR_RETURN(optimised_, bytecodeOf(*module_));
  if (!plugin_targets_.empty())
    LATHE_RETURN_IF_ERROR(placeModel());
  return plan();
}

absl::Status Compilation::plan() {
  CollectedDiagnostics diagnostics(context_);
  for (auto step : module_->getOps<mlir::func::FuncOp>())
    x86::annotateForPlanning(step);
  if (failed(passes::plan(*module_, dumpHook())))
    return diagnostics.status("planning memory");
  return dumped_;
}

passes::StageHook Compilation::dumpHook() {
  return
      [this](llvm::StringRef stage, mlir::ModuleOp module) { dumped_.Update(dump(stage, module)); };
}

absl::Status Compilation::placeModel() {
  progress("placing");
  LATHE_ASSIGN_OR_RETURN(placement_, place(*module_, *levels_.front(), plugin_targets_,
                                           *checkpoint_, options_, dumpHook()));
  for (const plugin::Target &target : plugin_targets_)
    if (absl::c_none_of(placement_.targets,
                        [&](const auto &on) { return on->target.name == target.name; }) &&
        options_.note)
      options_.note(absl::StrCat(target.name, " gets no op: it refuses them or takes longer, "
                                              "transfers counted; --explain says which, --place "
                                              "overrides"));
  return dumped_;
}

// Entries of the home of a placed model stand in the same code as those of the whole one.
absl::Status Compilation::selectPlaced(TargetCode &target) {
  CollectedDiagnostics diagnostics(context_);
  size_t index = 0;
  for (auto step : placement_.module->getOps<mlir::func::FuncOp>()) {
    auto placed = x86::selectPlaced(step, placement_.parts[index++], *target.level, *weights_,
                                    target.program);
    if (failed(placed))
      return diagnostics.status(
          absl::StrCat("selecting kernels of a placed model for ", target.level->name.str()));
    target.placed.push_back(*std::move(placed));
  }
  return absl::OkStatus();
}

absl::Status Compilation::selectTargets() {
  CollectedDiagnostics diagnostics(context_);
  weights_.emplace([&](llvm::StringRef name) -> absl::StatusOr<absl::Span<const uint8_t>> {
    LATHE_ASSIGN_OR_RETURN(const frontend::Tensor *tensor, checkpoint_->require(name.str()));
    return tensor->bytes;
  });
  for (const x86::Level *level : levels_) {
    mlir::FailureOr<x86::Program> program = x86::selectProgram(*module_, *level, *weights_);
    if (failed(program))
      return diagnostics.status(absl::StrCat("selecting kernels for ", level->name.str()));
    targets_.push_back({level, std::move(*program), absl::CancelledError("interrupted"), 0, {}});
    targets_.back().whole_steps = targets_.back().program.steps.size();
    if (!placement_.targets.empty())
      LATHE_RETURN_IF_ERROR(selectPlaced(targets_.back()));
  }
  return absl::OkStatus();
}

// A target a thread: they take seconds each and share nothing. Cancelling leaves out those not
// begun.
void Compilation::makeCode() {
  std::mutex report;
  size_t done = 0;
  shareOut(threadsOf(options_), targets_.size(), [&](size_t i) {
    if (!checkCancelled().ok())
      return;
    targets_[i].code = x86::makeCode(targets_[i].program, *targets_[i].level);
    std::lock_guard<std::mutex> lock(report);
    progress("generating code", ++done, targets_.size());
  });
}

absl::Status Compilation::makeTargets() {
  LATHE_RETURN_IF_ERROR(selectTargets());
  progress("generating code", 0, targets_.size());
  makeCode(); // joins
  for (const TargetCode &target : targets_)
    if (!target.code.ok())
      return prefixed(target.code.status(),
                      absl::StrCat("code for ", target.level->name.str(), ": "));
  return absl::OkStatus();
}

absl::Status Compilation::write() {
  LATHE_ASSIGN_OR_RETURN(artifact::Manifest manifest,
                         makeManifest(*module_, *checkpoint_, options_.activations));
  LATHE_ASSIGN_OR_RETURN(artifact::ArtifactWriter writer,
                         artifact::ArtifactWriter::create(options_.output));
  for (const TargetCode &target : targets_) {
    std::string name = target.level->name.str(), text = x86::programText(target.program, *weights_);
    manifest.targets.push_back(makeTarget(
        *target.level, llvm::ArrayRef(target.program.steps).take_front(target.whole_steps),
        *weights_, manifest.vocab_size));
    LATHE_RETURN_IF_ERROR(writer.addSection("code." + name, *target.code).status());
    LATHE_RETURN_IF_ERROR(writer.addSection("program." + name, text).status());
    report_.targets.push_back(name);
    if (!target.placed.empty()) {
      manifest.targets.push_back(makePlacedTarget(*target.level, target.placed, placement_,
                                                  *weights_, manifest.vocab_size));
      report_.targets.push_back(manifest.targets.back().name);
    }
  }
  if (!placement_.targets.empty())
    manifest.explain = passes::explainJson(*placement_.module);
  LATHE_RETURN_IF_ERROR(addPlacedSections(writer, placement_, options_));
  manifest.active_weight_bytes = x86::decodeWeightBytes(targets_.front().program, *weights_);
  LATHE_RETURN_IF_ERROR(addTexts(writer, *checkpoint_));
  LATHE_RETURN_IF_ERROR(writer.addSection("ir.portable", portable_).status());
  LATHE_RETURN_IF_ERROR(writer.addSection("ir.optimised", optimised_).status());
  LATHE_RETURN_IF_ERROR(addWeights(writer, *weights_, *checkpoint_, options_));
  report_.explain_json = manifest.explain;
  report_.packed_bytes = weights_->bytes();
  return writer.finish(std::move(manifest));
}

absl::Status Compilation::timed(double &seconds, absl::Status (Compilation::*step)()) {
  Clock::time_point start = Clock::now();
  absl::Status status = (this->*step)();
  seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return status.ok() ? checkCancelled() : status;
}

absl::StatusOr<CompileReport> Compilation::run() {
  LATHE_RETURN_IF_ERROR(checkOptions());
  LATHE_RETURN_IF_ERROR(timed(report_.seconds_import, &Compilation::import));
  LATHE_RETURN_IF_ERROR(timed(report_.seconds_passes, &Compilation::optimise));
  LATHE_RETURN_IF_ERROR(timed(report_.seconds_code, &Compilation::makeTargets));
  LATHE_RETURN_IF_ERROR(timed(report_.seconds_pack, &Compilation::write));
  std::error_code error;
  report_.file_bytes = std::filesystem::file_size(options_.output, error);
  return std::move(report_);
}

} // namespace

absl::StatusOr<CompileReport> compile(const CompileOptions &options) {
  return Compilation(options).run();
}

} // namespace lathe::compiler
