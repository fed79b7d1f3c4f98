// lathe-interpret: what IR or a checkpoint means, computed slowly and obviously.
#include <cmath>

#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include "base/file.h"
#include "base/status.h"
#include "ir/tile/dialect.h"
#include "text/tokenizer/tokenizer.h"
#include "tools/lathe-interpret/arguments.h"
#include "tools/lathe-interpret/compare.h"
#include "tools/lathe-interpret/generate.h"
#include "tools/lathe-interpret/model.h"
#include "tools/lathe-interpret/print.h"

namespace lathe::interpret {

namespace {

struct Options {
  std::vector<std::string> files;
  bool compare = false;
  CompareOptions comparison;
  std::string weights;
  models::CacheElement cache = models::CacheElement::f32;
  std::vector<int32_t> tokens;
  int64_t chunk = 0, greedy = 0;
  std::string dump_logits;
  std::string eval;
  int64_t window = 512;
};

constexpr char kDescription[] =
    "Runs functions of lathe ops, or a checkpoint, by the ops' definitions.\n"
    "  lathe-interpret FOLDER --tokens 1,5,9 --greedy 16\n"
    "  lathe-interpret model.mlir                         every function on inputs from a seed\n"
    "  lathe-interpret --compare before.mlir after.mlir   fails where the two differ";

void declare(CLI::App &app, Options &options) {
  CompareOptions &comparison = options.comparison;
  app.add_option("file", options.files, "IR (text or bytecode) or a checkpoint's folder")
      ->required()
      ->expected(1, 2);
  app.add_flag("--compare", options.compare,
               "run the same functions of two files on the same inputs");
  app.add_option("--function", comparison.functions,
                 "which function; with --compare, NAME=OTHER names its counterpart");
  app.add_option("--rows", comparison.rows, "T, where a function leaves it open (5)")
      ->check(CLI::Range(1, 4096));
  app.add_option("--seed", comparison.seed, "seed of inputs and weights (1)");
  app.add_option("--tolerance", comparison.tolerance,
                 "allowed difference, relative to a result's largest (1e-5)");
  app.add_option("--weights", options.weights,
                 "folder of the weights that IR refers to; without it they come from the seed");
  const std::map<std::string, models::CacheElement> elements = {
      {"f32", models::CacheElement::f32}, {"bf16", models::CacheElement::bf16}};
  app.add_option("--cache", options.cache, "what a folder's caches hold: f32 or bf16 (f32)")
      ->transform(CLI::CheckedTransformer(elements));
  app.add_option("--tokens", options.tokens, "ids to feed to the model")->delimiter(',');
  app.add_option("--chunk", options.chunk, "tokens a step (0: all)")->check(CLI::Range(0, 1 << 20));
  app.add_option("--greedy", options.greedy, "then continue by that many tokens")
      ->check(CLI::Range(0, 1 << 20));
  app.add_option("--dump-logits", options.dump_logits, "write input_ids and logits as safetensors");
  app.add_option("--eval", options.eval, "mean negative log likelihood of this text file");
  app.add_option("--window", options.window, "tokens a window of --eval, BOS included (512)")
      ->check(CLI::Range(2, 1 << 20));
}

std::string joined(const std::vector<int32_t> &ids) { return absl::StrJoin(ids, ","); }

absl::StatusOr<reference::ModelRunner> runnerOf(Model &model) {
  mlir::FailureOr<reference::ModelRunner> runner =
      reference::ModelRunner::create(*model.module, *model.weights);
  if (mlir::failed(runner))
    return absl::InvalidArgumentError("this is no model");
  return std::move(*runner);
}

absl::Status runTokens(Model &model, const Options &options) {
  LATHE_ASSIGN_OR_RETURN(reference::ModelRunner runner, runnerOf(model));
  LATHE_ASSIGN_OR_RETURN(Generated generated,
                         generate(runner, options.tokens, options.chunk, options.greedy));
  if (options.greedy > 0)
    llvm::outs() << joined(generated.continuation) << "\n";
  else
    for (int64_t t = 0; t < generated.logits.rows(); ++t) {
      const int32_t best = reference::argmax(generated.logits, t);
      llvm::outs() << "position " << t << ": best " << best << " with "
                   << llvm::format("%.6f", generated.logits.row(t)[best]) << "\n";
    }
  return options.dump_logits.empty() ? absl::OkStatus()
                                     : dumpLogits(options.dump_logits, generated);
}

absl::Status runEval(Model &model, const Options &options) {
  const frontend::Checkpoint *checkpoint = model.checkpoint.get();
  if (!checkpoint || !checkpoint->tokenizer())
    return absl::InvalidArgumentError("--eval needs a checkpoint with a tokenizer.json");
  LATHE_ASSIGN_OR_RETURN(const text::Tokenizer tokenizer,
                         text::Tokenizer::load(*checkpoint->tokenizer(), "tokenizer.json",
                                               checkpoint->tokenizerConfig().value_or("")));
  LATHE_ASSIGN_OR_RETURN(const std::string text, readTextFile(options.eval));
  LATHE_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                         tokenizer.encode(text, /*add_special=*/false));
  LATHE_ASSIGN_OR_RETURN(reference::ModelRunner runner, runnerOf(model));
  LATHE_ASSIGN_OR_RETURN(const Likelihood result,
                         likelihood(runner, ids, tokenizer.bosId().value_or(-1), options.window));
  llvm::outs() << "tokens: " << result.tokens
               << "\nnll: " << llvm::format("%.6f", result.nats_per_token)
               << " nats per token\nperplexity: "
               << llvm::format("%.4f", std::exp(result.nats_per_token)) << "\n";
  return absl::OkStatus();
}

absl::Status runFunction(Model &model, mlir::func::FuncOp function, const Options &options) {
  mlir::FailureOr<reference::Values> arguments =
      seededArguments(function, options.comparison.rows, options.comparison.seed);
  if (mlir::failed(arguments))
    return absl::InvalidArgumentError("no inputs");
  mlir::FailureOr<reference::Values> results =
      reference::Interpreter(*model.weights).run(function, *arguments);
  if (mlir::failed(results))
    return absl::InvalidArgumentError("the function could not be run; see above");
  llvm::outs() << "@" << function.getName() << "\n";
  for (const auto &[index, value] : llvm::enumerate(*results)) {
    llvm::outs() << "  " << index << ": ";
    printValue(llvm::outs(), value);
  }
  return absl::OkStatus();
}

absl::Status runFunctions(Model &model, const Options &options) {
  const std::vector<std::string> &wanted = options.comparison.functions;
  for (const std::string &name : wanted)
    if (!model.module->lookupSymbol<mlir::func::FuncOp>(name))
      return absl::NotFoundError("no function @" + name);
  for (mlir::func::FuncOp function : model.module->getOps<mlir::func::FuncOp>())
    if (wanted.empty() || llvm::is_contained(wanted, function.getName()))
      LATHE_RETURN_IF_ERROR(runFunction(model, function, options));
  return absl::OkStatus();
}

absl::Status runCompare(mlir::MLIRContext &context, const Options &options) {
  if (options.files.size() != 2)
    return absl::InvalidArgumentError("--compare takes two files");
  const auto before = readModule(context, options.files[0]),
             after = readModule(context, options.files[1]);
  if (!before || !after)
    return absl::InvalidArgumentError("could not read both files");
  if (mlir::failed(compareModules(*before, *after, options.comparison)))
    return absl::InvalidArgumentError(options.files[1] + " does not mean what " + options.files[0] +
                                      " means");
  return absl::OkStatus();
}

absl::Status run(const Options &options) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::func::FuncDialect, ir::LatheDialect, tile::TileDialect>();
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  llvm::SourceMgr sources;
  mlir::SourceMgrDiagnosticHandler printer(sources, &context);
  if (options.compare)
    return runCompare(context, options);
  LATHE_ASSIGN_OR_RETURN(Model model, openModel(context, options.files[0], options.weights,
                                                options.comparison.seed, options.cache));
  if (!options.eval.empty())
    return runEval(model, options);
  return options.tokens.empty() ? runFunctions(model, options) : runTokens(model, options);
}

} // namespace

} // namespace lathe::interpret

int main(int argc, char **argv) {
  lathe::interpret::Options options;
  CLI::App app(lathe::interpret::kDescription, "lathe-interpret");
  lathe::interpret::declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const absl::Status status = lathe::interpret::run(options);
  if (!status.ok())
    llvm::errs() << "error: " << std::string(status.message()) << "\n";
  return status.ok() ? 0 : 1;
}
