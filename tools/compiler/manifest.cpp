#include "tools/compiler/manifest.h"

#include "absl/strings/str_cat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "frontend/generation_config.h"
#include "ir/lathe/dialect.h"
#include "passes/cost/work.h"
#include "passes/explain.h"

namespace lathe::compiler {
namespace {

// Of the attribute `lathe.model`, which import makes; passes keep it.
class ModelFacts {
public:
  explicit ModelFacts(mlir::ModuleOp module)
      : facts_(module->getAttrOfType<mlir::DictionaryAttr>("lathe.model")) {}

  int64_t integer(llvm::StringRef key) const {
    return facts_.getAs<mlir::IntegerAttr>(key).getInt();
  }
  std::string text(llvm::StringRef key) const { return facts_.getAs<mlir::StringAttr>(key).str(); }

private:
  mlir::DictionaryAttr facts_;
};

// A folder may be named in any bytes; a manifest holds UTF-8 without controls, up to 512 bytes.
std::string printable(const std::string &name) {
  std::string quoted =
      nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return quoted.size() <= 512 ? quoted.substr(1, quoted.size() - 2) : "a name too long to print";
}

int64_t contextOf(mlir::Type cache) {
  if (auto latent = mlir::dyn_cast<ir::LatentCacheType>(cache))
    return latent.getMaxContext() * latent.getSlots();
  auto keys = mlir::cast<ir::KvCacheType>(cache);
  return keys.getMaxContext() * keys.getSlots();
}

// Both steps have the same caches; what is computed is that of decode.
artifact::StateEntry stateEntry(mlir::func::FuncOp decode, unsigned argument) {
  artifact::StateEntry entry;
  mlir::Type type = decode.getArgumentTypes()[argument];
  entry.name = decode.getArgAttrOfType<mlir::StringAttr>(argument, "lathe.name").str();
  llvm::raw_string_ostream(entry.type) << type;
  entry.offset =
      decode.getArgAttrOfType<mlir::IntegerAttr>(argument, "lathe.state_offset").getInt();
  entry.bytes = decode.getArgAttrOfType<mlir::IntegerAttr>(argument, "lathe.cache_bytes").getInt();
  entry.bytes_per_token = entry.bytes / contextOf(type);
  const passes::cost::KeyWork work = passes::cost::keyWork(decode, argument);
  entry.flops_per_key = static_cast<uint64_t>(work.flops);
  entry.window = static_cast<uint64_t>(work.window);
  return entry;
}

void addGeneration(const frontend::GenerationConfig &generation, artifact::Manifest &manifest) {
  manifest.bos_token_id = static_cast<int32_t>(generation.bos_id.value_or(-1));
  manifest.eos_token_ids.assign(generation.eos_ids.begin(), generation.eos_ids.end());
  if (!generation.do_sample)
    return;
  manifest.temperature = static_cast<float>(generation.temperature);
  manifest.top_p = static_cast<float>(generation.top_p);
  manifest.top_k = static_cast<int32_t>(generation.top_k);
}

artifact::Step makeStep(const x86::StepProgram &program, uint64_t weight_bytes,
                        uint32_t vocab_size) {
  artifact::Step step;
  step.name = program.name;
  step.max_rows = static_cast<uint32_t>(program.max_rows);
  step.buffers = homeBuffers(program.max_rows, program.arena_bytes, program.state_bytes,
                             weight_bytes, vocab_size);
  artifact::Call call;
  call.entry = program.name;
  for (uint32_t i = 0; i < step.buffers.size(); ++i)
    call.buffers.push_back(i);
  step.calls.push_back(std::move(call));
  return step;
}

} // namespace

absl::StatusOr<artifact::Manifest> makeManifest(mlir::ModuleOp module,
                                                const frontend::Checkpoint &checkpoint,
                                                const std::string &activations) {
  ModelFacts facts(module);
  artifact::Manifest manifest;
  manifest.producer = absl::StrCat("lathe ", LATHE_VERSION);
  manifest.family = facts.text("family");
  manifest.model = printable(checkpoint.name());
  manifest.activations = activations;
  manifest.vocab_size = facts.integer("vocab_size");
  manifest.hidden_size = facts.integer("hidden_size");
  manifest.num_layers = facts.integer("num_layers");
  manifest.max_context = facts.integer("max_context");
  manifest.parameters = facts.integer("parameters");
  LATHE_ASSIGN_OR_RETURN(frontend::ConfigReader config, checkpoint.config());
  LATHE_ASSIGN_OR_RETURN(frontend::GenerationConfig generation,
                         frontend::readGenerationConfig(checkpoint, config, manifest.vocab_size));
  addGeneration(generation, manifest);
  auto decode = module.lookupSymbol<mlir::func::FuncOp>("decode");
  for (unsigned i = 4; i < decode.getNumArguments(); ++i)
    manifest.state.push_back(stateEntry(decode, i));
  manifest.decode_flops = static_cast<uint64_t>(passes::cost::weightFlops(decode));
  manifest.explain = passes::explainJson(module);
  return manifest;
}

std::vector<artifact::Buffer> homeBuffers(int64_t max_rows, uint64_t arena_bytes,
                                          uint64_t state_bytes, uint64_t weight_bytes,
                                          uint32_t vocab_size) {
  using Kind = artifact::BufferKind;
  uint64_t row_ids = 4 * max_rows;
  return {{Kind::tokens, row_ids},
          {Kind::slots, row_ids},
          {Kind::positions, row_ids},
          {Kind::output_rows, row_ids},
          {Kind::logits, row_ids * vocab_size},
          {Kind::arena, arena_bytes},
          {Kind::weights, weight_bytes},
          {Kind::state, state_bytes}};
}

artifact::Target makeTarget(const x86::Level &level, llvm::ArrayRef<x86::StepProgram> steps,
                            const x86::WeightPlan &weights, uint32_t vocab_size) {
  artifact::Target target;
  target.name = level.name.str();
  target.compatibility = level.compatibility.str();
  target.code_section = absl::StrCat("code.", target.name);
  target.weights_section = "weights.0";
  for (const x86::PackedCopy &copy : weights.copies())
    target.weights.push_back({copy.name, copy.layout, copy.offset, copy.size});
  for (const x86::StepProgram &step : steps)
    target.steps.push_back(makeStep(step, weights.bytes(), vocab_size));
  return target;
}

} // namespace lathe::compiler
