#include "tests/unit/tools/lathe/toy_model.h"

#include <gtest/gtest.h>

#include "artifact/writer.h"
#include "base/file.h"

namespace lathe::cli {
namespace {

using artifact::BufferKind;
using artifact::Manifest;

constexpr uint32_t kVocabulary = 512;
constexpr char kTemplate[] =
    "{% for message in messages %}<{{ message.role }}>{{ message.content }}\n"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

artifact::Step step(const std::string &name, uint32_t rows, const ToyOptions &options) {
  artifact::Step step;
  step.name = name;
  step.max_rows = rows;
  step.buffers = {{BufferKind::tokens, 4 * rows},
                  {BufferKind::slots, 4 * rows},
                  {BufferKind::positions, 4 * rows},
                  {BufferKind::output_rows, 4 * rows},
                  {BufferKind::logits, 4 * rows * kVocabulary},
                  {BufferKind::arena, 64},
                  {BufferKind::weights, 4},
                  {BufferKind::state, 4 * options.context}};
  step.calls = {{0, name, {0, 1, 2, 3, 4, 5, 6, 7}, {}}};
  return step;
}

artifact::Target target(const ToyOptions &options) {
  artifact::Target target;
  target.name = "toy";
  target.compatibility = options.compatibility;
  target.code_section = "code.toy";
  target.weights_section = "weights.0";
  target.weights = {{"microseconds", "i32", 0, 4}};
  target.steps = {step("decode", 1, options), step("prefill", options.prefill_rows, options)};
  return target;
}

Manifest manifest(const ToyOptions &options) {
  Manifest manifest;
  manifest.producer = "toy_model.cpp";
  manifest.family = "toy";
  manifest.model = "counter";
  manifest.activations = "f32";
  manifest.vocab_size = kVocabulary;
  manifest.hidden_size = manifest.num_layers = manifest.num_slots = 1;
  manifest.max_context = options.context;
  manifest.parameters = 1;
  manifest.active_weight_bytes = 4;
  manifest.eos_token_ids = options.eos;
  manifest.temperature = options.temperature;
  manifest.state = {{"tokens", "i32", 4, 0, 4 * options.context}};
  manifest.targets = {target(options)};
  manifest.explain = options.explain;
  return manifest;
}

std::vector<std::pair<std::string, std::string>> sections(const ToyOptions &options) {
  std::string weights(reinterpret_cast<const char *>(&options.microseconds), 4);
  std::vector<std::pair<std::string, std::string>> sections = {
      {"code.toy", *readTextFile(LATHE_TOY_CODE)},
      {"weights.0", weights},
      {"program.toy", "the program of the toy\n"}};
  if (options.tokenizer) {
    std::string folder = LATHE_TEST_DATA "/stories_mla/";
    for (const char *name : {"tokenizer.json", "tokenizer_config.json"})
      sections.push_back({name, *readTextFile(folder + name)});
  }
  if (options.chat_template)
    sections.push_back({"chat_template.jinja", kTemplate});
  return sections;
}

} // namespace

void writeToyModel(const std::string &path, const ToyOptions &options) {
  auto writer = artifact::ArtifactWriter::create(path);
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (const auto &[name, bytes] : sections(options))
    ASSERT_TRUE(writer->addSection(name, bytes).ok());
  absl::Status finished = writer->finish(manifest(options));
  ASSERT_TRUE(finished.ok()) << finished;
}

int32_t toyNext(const std::vector<int32_t> &tokens) {
  int64_t sum = 7;
  for (size_t i = 0; i < tokens.size(); ++i)
    sum += static_cast<int64_t>(i + 1) * tokens[i];
  return static_cast<int32_t>(sum % kVocabulary);
}

std::vector<int32_t> toyGreedy(std::vector<int32_t> tokens, int count) {
  std::vector<int32_t> fresh;
  for (int i = 0; i < count; ++i) {
    fresh.push_back(toyNext(tokens));
    tokens.push_back(fresh.back());
  }
  return fresh;
}

std::string toyPrompt(const std::vector<std::string> &messages) {
  std::string text;
  for (size_t i = 0; i < messages.size(); ++i)
    text += (i % 2 == 0 ? "<user>" : "<assistant>") + messages[i] + "\n";
  return text + "<assistant>";
}

} // namespace lathe::cli
