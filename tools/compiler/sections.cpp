#include "tools/compiler/sections.h"

#include <thread>

#include "mlir/Bytecode/BytecodeWriter.h"

#include "base/status.h"

namespace lathe::compiler {

absl::StatusOr<std::string> bytecodeOf(mlir::ModuleOp module) {
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  if (failed(mlir::writeBytecodeToFile(module, stream)))
    return absl::InternalError("the IR does not serialise to bytecode");
  return bytes;
}

absl::Status addTexts(artifact::ArtifactWriter &writer, const frontend::Checkpoint &checkpoint) {
  const std::pair<const char *, const std::optional<std::string> *> texts[] = {
      {"tokenizer.json", &checkpoint.tokenizer()},
      {"tokenizer_config.json", &checkpoint.tokenizerConfig()},
      {"chat_template.jinja", &checkpoint.chatTemplate()},
      {"generation_config.json", &checkpoint.generationConfig()},
  };
  for (const auto &[name, text] : texts)
    if (*text)
      LATHE_RETURN_IF_ERROR(writer.addSection(name, **text).status());
  return absl::OkStatus();
}

namespace {

void releaseSources(const frontend::Checkpoint &checkpoint, const std::vector<std::string> &names) {
  for (const std::string &name : names)
    if (const frontend::Tensor *tensor = checkpoint.find(name))
      checkpoint.release(*tensor, 0, tensor->bytes.size());
}

} // namespace

size_t threadsOf(const CompileOptions &options) {
  return options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
}

absl::Status addWeights(artifact::ArtifactWriter &writer, const x86::WeightPlan &weights,
                        const frontend::Checkpoint &checkpoint, const CompileOptions &options) {
  LATHE_RETURN_IF_ERROR(writer.beginSection("weights.0"));
  auto sink = [&](absl::Span<const uint8_t> bytes) {
    if (options.cancelled && options.cancelled->load())
      return absl::CancelledError("interrupted");
    if (options.progress)
      options.progress("packing weights", writer.sectionSize(), weights.bytes());
    return writer.write(bytes.data(), bytes.size());
  };
  auto packed = [&](const x86::PackedCopy &, const std::vector<std::string> &sources) {
    releaseSources(checkpoint, sources);
    return true;
  };
  LATHE_RETURN_IF_ERROR(weights.pack(sink, packed, threadsOf(options)));
  return writer.endSection().status();
}

} // namespace lathe::compiler
