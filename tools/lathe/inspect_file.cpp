#include "tools/lathe/inspect_file.h"

#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tools/lathe/inspect_parts.h"
#include "tools/lathe/table.h"
#include "tools/lathe/units.h"

namespace lathe::cli {
namespace {

using artifact::Artifact;
using artifact::Manifest;
using artifact::Step;
using artifact::Target;
using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

uint64_t stateBytes(const Manifest &manifest) {
  uint64_t bytes = 0;
  for (const artifact::StateEntry &entry : manifest.state)
    bytes += entry.bytes;
  return bytes;
}

uint64_t stateBytesPerToken(const Manifest &manifest) {
  uint64_t bytes = 0;
  for (const artifact::StateEntry &entry : manifest.state)
    bytes += entry.bytes_per_token;
  return bytes;
}

// Of the device at home.
uint64_t arenaBytes(const Step &step) {
  uint64_t bytes = 0;
  for (const artifact::Buffer &buffer : step.buffers)
    if (buffer.kind == artifact::BufferKind::arena && buffer.device == 0)
      bytes += buffer.bytes;
  return bytes;
}

std::string hexText(const std::array<uint8_t, 16> &digest) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char *>(digest.data()), digest.size()));
}

Rows headRows(const Artifact &artifact) {
  const Manifest &m = artifact.manifest();
  return {{"model", absl::StrCat(m.model, " (", m.family, ")")},
          {"shape", absl::StrCat(m.num_layers, " layers, hidden size ", m.hidden_size,
                                 ", vocabulary ", m.vocab_size)},
          {"parameters", countText(m.parameters)},
          {"context", absl::StrCat(m.max_context, " tokens, ", m.num_slots,
                                   m.num_slots == 1 ? " conversation" : " conversations")},
          {"activations", m.activations},
          {"made by", m.producer},
          {"size", bytesText(artifact.fileSize())},
          {"state", absl::StrCat(stateBytesPerToken(m), " bytes per token, ",
                                 bytesText(stateBytes(m)), " for the whole context")},
          {"one token reads", absl::StrCat(bytesText(m.active_weight_bytes), " of weights")}};
}

std::string stepText(const Step &step) {
  return absl::StrCat(step.name, " of ", step.max_rows,
                      step.max_rows == 1 ? " row: " : " rows: ", bytesText(arenaBytes(step)));
}

Rows targetRows(const Artifact &artifact) {
  Rows rows = {{"target", "code", "weights", "arena", "needs"}};
  for (const Target &target : artifact.manifest().targets) {
    auto add_step = [](std::string *out, const Step &step) { out->append(stepText(step)); };
    rows.push_back({target.name, bytesText(sectionBytes(artifact, target.code_section)),
                    bytesText(sectionBytes(artifact, target.weights_section)),
                    absl::StrJoin(target.steps, ", ", add_step), target.compatibility});
  }
  return rows;
}

// How many weights a target or a part has in each layout, and their bytes.
void addLayouts(const std::string &name, const std::vector<artifact::PackedWeight> &weights,
                Rows &rows) {
  std::map<std::string, std::pair<uint64_t, uint64_t>> layouts;
  for (const artifact::PackedWeight &weight : weights) {
    auto &[count, bytes] = layouts[weight.layout];
    ++count;
    bytes += weight.size;
  }
  for (const auto &[layout, sum] : layouts)
    rows.push_back({name, layout, absl::StrCat(sum.first), bytesText(sum.second)});
}

// A placed target shares the weights of home with the one that is not placed.
Rows layoutRows(const Manifest &manifest) {
  Rows rows = {{"target", "layout", "weights", "size"}};
  for (const Target &target : manifest.targets) {
    if (target.parts.empty())
      addLayouts(target.name, target.weights, rows);
    for (const artifact::Part &part : target.parts)
      addLayouts(part.name, part.weights, rows);
  }
  return rows;
}

// Caches that are alike stand on one line: a model has one or two a layer.
Rows stateRows(const Manifest &manifest) {
  std::map<std::string, std::pair<uint64_t, uint64_t>> kinds;
  for (const artifact::StateEntry &entry : manifest.state) {
    auto &[count, per_token] = kinds[entry.type];
    ++count;
    per_token += entry.bytes_per_token;
  }
  Rows rows = {{"caches", "bytes per token", "type"}};
  for (const auto &[type, sum] : kinds)
    rows.push_back({absl::StrCat(sum.first), absl::StrCat(sum.second), type});
  return rows;
}

Rows sectionRows(const Manifest &manifest) {
  Rows rows = {{"section", "size", "digest (xxh3-128)"}};
  for (const artifact::Section &section : manifest.sections)
    rows.push_back({section.name, bytesText(section.size), hexText(section.digest)});
  return rows;
}

Json stepJson(const Step &step) {
  return {{"name", step.name},
          {"max_rows", step.max_rows},
          {"arena_bytes", arenaBytes(step)},
          {"calls", step.calls.size()}};
}

Json targetJson(const Artifact &artifact, const Target &target) {
  Json steps = Json::array();
  for (const Step &step : target.steps)
    steps.push_back(stepJson(step));
  Json weights = Json::array();
  for (const artifact::PackedWeight &weight : target.weights)
    weights.push_back({{"name", weight.name}, {"layout", weight.layout}, {"bytes", weight.size}});
  return {{"name", target.name},
          {"compatibility", target.compatibility},
          {"code_bytes", sectionBytes(artifact, target.code_section)},
          {"weights_bytes", sectionBytes(artifact, target.weights_section)},
          {"steps", steps},
          {"weights", weights},
          {"parts", partsJson(artifact, target)}};
}

Json stateJson(const Manifest &manifest) {
  Json caches = Json::array();
  for (const artifact::StateEntry &entry : manifest.state)
    caches.push_back({{"name", entry.name},
                      {"type", entry.type},
                      {"bytes_per_token", entry.bytes_per_token},
                      {"bytes", entry.bytes},
                      {"flops_per_key", entry.flops_per_key},
                      {"window", entry.window}});
  return {{"bytes_per_token", stateBytesPerToken(manifest)},
          {"bytes", stateBytes(manifest)},
          {"caches", caches}};
}

Json sectionsJson(const Manifest &manifest) {
  Json sections = Json::array();
  for (const artifact::Section &section : manifest.sections)
    sections.push_back({{"name", section.name},
                        {"offset", section.offset},
                        {"bytes", section.size},
                        {"digest", hexText(section.digest)}});
  return sections;
}

} // namespace

std::string describe(const Artifact &artifact) {
  const Manifest &manifest = artifact.manifest();
  const Rows parts = partRows(artifact);
  return absl::StrCat(artifact.path(), "\n", formatTable(headRows(artifact)), "\n",
                      formatTable(targetRows(artifact)), "\n",
                      parts.empty() ? "" : formatTable(parts) + "\n",
                      formatTable(layoutRows(manifest)), "\n", formatTable(stateRows(manifest)),
                      "\n", formatTable(sectionRows(manifest)));
}

Json describeJson(const Artifact &artifact) {
  const Manifest &m = artifact.manifest();
  Json targets = Json::array();
  for (const Target &target : m.targets)
    targets.push_back(targetJson(artifact, target));
  return {{"file", artifact.path()},
          {"file_bytes", artifact.fileSize()},
          {"producer", m.producer},
          {"family", m.family},
          {"model", m.model},
          {"activations", m.activations},
          {"parameters", m.parameters},
          {"vocab_size", m.vocab_size},
          {"hidden_size", m.hidden_size},
          {"num_layers", m.num_layers},
          {"max_context", m.max_context},
          {"num_slots", m.num_slots},
          {"active_weight_bytes", m.active_weight_bytes},
          {"decode_flops", m.decode_flops},
          {"bos_token_id", m.bos_token_id},
          {"eos_token_ids", m.eos_token_ids},
          {"state", stateJson(m)},
          {"targets", targets},
          {"sections", sectionsJson(m)}};
}

} // namespace lathe::cli
