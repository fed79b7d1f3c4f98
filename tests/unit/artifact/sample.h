// An artifact with something in every field.
#pragma once

#include <string>

#include "artifact/manifest.h"
#include "artifact/writer.h"
#include "tests/unit/scratch_folder.h"

namespace lathe::artifact {

// Its sections are those that writeSample() writes, where it writes them.
inline Manifest sampleManifest() {
  Manifest manifest;
  manifest.producer = "lathe 0.1.0";
  manifest.family = "deepseek_v3";
  manifest.model = "Zürich";
  manifest.activations = "f32";
  manifest.vocab_size = 100, manifest.hidden_size = 64, manifest.num_layers = 2;
  manifest.max_context = 16, manifest.num_slots = 1;
  manifest.parameters = 1234567890123, manifest.active_weight_bytes = 321;
  manifest.bos_token_id = 1, manifest.eos_token_ids = {2, 99};
  manifest.temperature = 0.5f, manifest.top_p = 0.9f, manifest.top_k = 40;
  manifest.sections = {
      {"code.v3", 4096, 10, {}}, {"weights.0", 8192, 4097, {}}, {"empty", 16384, 0, {}}};
  manifest.state = {{"layers.0.latent", "!lathe.latent_cache", 8, 0, 128, 2176, 0},
                    {"layers.1.latent", "!lathe.latent_cache", 8, 128, 128, 2176, 4}};
  manifest.decode_flops = 4902;
  Target target;
  target.name = "x86-64-v3";
  target.compatibility = "arch=x86_64;features=avx2";
  target.code_section = "code.v3", target.weights_section = "weights.0";
  target.weights = {{"a", "plain", 0, 64}, {"b", "tile16xf32", 64, 4033}};
  for (const char *name : {"decode", "prefill"}) {
    Step step;
    step.name = name;
    step.max_rows = step.name == "decode" ? 1 : 4;
    step.buffers = {{BufferKind::tokens, 16},    {BufferKind::slots, 16},
                    {BufferKind::positions, 16}, {BufferKind::output_rows, 16},
                    {BufferKind::logits, 1600},  {BufferKind::arena, 512},
                    {BufferKind::weights, 4097}, {BufferKind::state, 256},
                    {BufferKind::crossing, 128, 1, 0}};
    step.calls = {{0, step.name, {0, 1, 2, 3, 4, 5, 6, 7}, {}, {}},
                  {0, "after", {7}, {0}, {}},
                  {1, "away", {8}, {1}, {{5, 8, 32, 0, 128, 32, 32, RowsOfCopy::rows, 1}}}};
    target.steps.push_back(step);
  }
  target.parts = {{"npu:tiny", "arch=npu", "code.v3", "weights.0", {{"c", "nz", 0, 4097}}}};
  manifest.targets = {target};
  manifest.explain = "[{\"step\": \"decode\"}]\n";
  return manifest;
}

inline absl::Status writeSections(ArtifactWriter &writer) {
  for (const auto &[name, size] : {std::pair("code.v3", 10), {"weights.0", 4097}, {"empty", 0}})
    if (auto section = writer.addSection(name, std::string(size, 'x')); !section.ok())
      return section.status();
  return absl::OkStatus();
}

inline absl::Status writeSample(const std::string &path,
                                const Manifest &manifest = sampleManifest()) {
  auto writer = ArtifactWriter::create(path);
  if (!writer.ok())
    return writer.status();
  if (absl::Status status = writeSections(*writer); !status.ok())
    return status;
  return writer->finish(manifest);
}

} // namespace lathe::artifact
