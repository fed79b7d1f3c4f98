#include "tests/unit/runtime/fake_model.h"

#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "artifact/writer.h"

namespace lathe::runtime {
namespace {

using artifact::BufferKind;

std::vector<float> fakeWeights() {
  std::vector<float> weights(kFakeVocab);
  for (int32_t i = 0; i < kFakeVocab; ++i)
    weights[i] = static_cast<float>(i * 37 % kFakeVocab - 15) / 31.0f;
  return weights;
}

artifact::Step fakeStep(const std::string &name, uint32_t rows) {
  uint64_t ids = 4 * rows, logits = ids * kFakeVocab;
  artifact::Step step;
  step.name = name;
  step.max_rows = rows;
  step.buffers = {{BufferKind::tokens, ids},
                  {BufferKind::slots, ids},
                  {BufferKind::positions, ids},
                  {BufferKind::output_rows, ids},
                  {BufferKind::logits, logits},
                  {BufferKind::arena, logits},
                  {BufferKind::weights, 4 * kFakeVocab},
                  {BufferKind::state, 4 * kFakeContext}};
  step.calls = {{0, name, {0, 1, 2, 3, 4, 5, 6, 7}, {}}};
  return step;
}

// What a test rests on; it cannot go on without.
void require(const absl::Status &status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::abort();
  }
}

} // namespace

artifact::Manifest fakeManifest() {
  artifact::Manifest manifest;
  manifest.producer = "test", manifest.family = "fake", manifest.model = "fake";
  manifest.activations = "f32";
  manifest.vocab_size = kFakeVocab, manifest.hidden_size = 1, manifest.num_layers = 1;
  manifest.max_context = kFakeContext;
  manifest.active_weight_bytes = 4 * kFakeVocab;
  manifest.state = {{"layers.0.tokens", "list", 4, 0, 4 * kFakeContext}};
  artifact::Target target;
  target.name = "x86-64", target.compatibility = "arch=x86_64";
  target.code_section = "code.v0", target.weights_section = "weights.0";
  target.steps = {fakeStep("decode", 1), fakeStep("prefill", kFakePrefillRows)};
  manifest.targets = {target};
  return manifest;
}

std::string fakeCode(const std::string &name) {
  std::ifstream stream(std::string(LATHE_FAKE_MODELS) + "/" + name + ".so", std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string writeFake(const ScratchFolder &folder, const artifact::Manifest &manifest,
                      const std::string &code, const std::string &name) {
  std::string path = folder / (name + ".lathe");
  std::vector<float> weights = fakeWeights();
  auto writer = artifact::ArtifactWriter::create(path);
  require(writer.status());
  require(writer->addSection("code.v0", code).status());
  require(writer->beginSection("weights.0"));
  require(writer->write(weights.data(), weights.size() * sizeof(float)));
  require(writer->endSection().status());
  require(writer->addSection("tokenizer.json", "{}").status());
  require(writer->finish(manifest));
  return path;
}

std::vector<float> fakeLogits(absl::Span<const int32_t> tokens) {
  std::vector<float> weights = fakeWeights(), logits(kFakeVocab);
  size_t last = tokens.size() - 1;
  for (int32_t v = 0; v < kFakeVocab; ++v) {
    float sum = 0;
    for (size_t q = 0; q <= last; ++q)
      sum += weights[(7 * tokens[q] + v) % kFakeVocab] / static_cast<float>(last - q + 1);
    logits[v] = sum + (v == (tokens[last] + 1) % kFakeVocab ? 100.0f : 0.0f);
    if (tokens[last] == kFakeUnlucky)
      logits[v] = std::numeric_limits<float>::quiet_NaN();
  }
  return logits;
}

std::unique_ptr<Session> fakeSession(int threads, const SessionOptions &options,
                                     const artifact::Manifest &manifest) {
  ScratchFolder folder; // the file may go: it is mapped
  CpuOptions cpu;
  cpu.threads = threads;
  auto device = createCpuDevice(cpu);
  require(device.status());
  auto module = Module::load(writeFake(folder, manifest), *device);
  require(module.status());
  auto session = Session::create(*module, options);
  require(session.status());
  return *std::move(session);
}

} // namespace lathe::runtime
