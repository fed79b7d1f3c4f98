#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "artifact/validate_internal.h"
#include "base/status.h"

namespace lathe::artifact {
namespace {

constexpr uint32_t kMaxRows = 1u << 20;
constexpr size_t kMaxTargets = 256, kMaxSteps = 64, kMaxBuffers = 1024, kMaxCalls = 65536;

const Section *sectionNamed(const Manifest &manifest, absl::string_view name) {
  auto found = std::find_if(manifest.sections.begin(), manifest.sections.end(),
                            [&](const Section &section) { return section.name == name; });
  return found == manifest.sections.end() ? nullptr : &*found;
}

absl::Status validateWeights(const Target &target, const Section *section) {
  if (!section && !target.weights.empty())
    return wrong("there are ", target.weights.size(), " weights but no weights section");
  std::unordered_set<std::string_view> names;
  for (const PackedWeight &weight : target.weights) {
    LATHE_RETURN_IF_ERROR(validateName("a weight's name", weight.name));
    LATHE_RETURN_IF_ERROR(validateText("a weight's layout", weight.layout));
    if (!names.insert(weight.name).second)
      return wrong("weight '", weight.name, "' stands twice");
    LATHE_RETURN_IF_ERROR(validateRange(absl::StrCat("weight '", weight.name, "'"), weight.offset,
                                        weight.size, section->size));
  }
  return absl::OkStatus();
}

// What a buffer of this kind must hold at least, for a step of `max_rows` rows.
uint64_t leastBytes(BufferKind kind, uint64_t max_rows, uint64_t state_bytes) {
  switch (kind) {
  case BufferKind::tokens:
  case BufferKind::slots:
  case BufferKind::positions: return 4 * max_rows;
  case BufferKind::state: return state_bytes;
  default: return 0;
  }
}

uint64_t stateBytes(const Manifest &manifest) {
  uint64_t end = 0;
  for (const StateEntry &entry : manifest.state)
    end = std::max(end, entry.offset + entry.bytes);
  return end;
}

absl::Status validateBuffer(const Buffer &buffer, const Step &step, uint64_t state_bytes,
                            const Section *weights) {
  if (buffer.kind > BufferKind::state)
    return wrong("a buffer's kind is ", static_cast<int>(buffer.kind), "; the last one known is ",
                 static_cast<int>(BufferKind::state));
  if (buffer.bytes > kMaxBytes)
    return wrong("a buffer has ", buffer.bytes, " bytes; at most ", kMaxBytes, " are allowed");
  uint64_t least = leastBytes(buffer.kind, step.max_rows, state_bytes);
  if (buffer.bytes < least)
    return wrong("a buffer of kind ", static_cast<int>(buffer.kind), " has ", buffer.bytes,
                 " bytes; ", step.max_rows, " rows need ", least);
  uint64_t weight_bytes = weights ? weights->size : 0;
  if (buffer.kind == BufferKind::weights && buffer.bytes > weight_bytes)
    return wrong("the weights buffer has ", buffer.bytes, " bytes; the weights section has ",
                 weight_bytes);
  return absl::OkStatus();
}

absl::Status validateCall(const Call &call, size_t index, const Step &step) {
  LATHE_RETURN_IF_ERROR(validateName("a call's entry", call.entry));
  std::string what = absl::StrCat("call ", index, " ('", call.entry, "')");
  if (call.device > 255)
    return wrong(what, " runs on device ", call.device, "; at most 255 is allowed");
  if (call.buffers.size() > kMaxBuffers)
    return wrong(what, " takes ", call.buffers.size(), " buffers; at most ", kMaxBuffers,
                 " are allowed");
  for (uint32_t buffer : call.buffers)
    if (buffer >= step.buffers.size())
      return wrong(what, " takes buffer ", buffer, " but the step has ", step.buffers.size());
  for (uint32_t wait : call.waits)
    if (wait >= index)
      return wrong(what, " waits for call ", wait, "; it must wait for an earlier one");
  return absl::OkStatus();
}

absl::Status validateStep(const Step &step, uint64_t state_bytes, const Section *weights) {
  if (step.max_rows < 1 || step.max_rows > kMaxRows)
    return wrong("max_rows is ", step.max_rows, "; it must be from 1 to ", kMaxRows);
  if (step.name == "decode" && step.max_rows != 1)
    return wrong("max_rows is ", step.max_rows, "; decode has 1");
  LATHE_RETURN_IF_ERROR(validateLength("buffers", step.buffers.size(), kMaxBuffers));
  if (step.calls.empty() || step.calls.size() > kMaxCalls)
    return wrong("there are ", step.calls.size(), " calls; there must be from 1 to ", kMaxCalls);
  for (const Buffer &buffer : step.buffers)
    LATHE_RETURN_IF_ERROR(validateBuffer(buffer, step, state_bytes, weights));
  for (size_t i = 0; i < step.calls.size(); ++i)
    LATHE_RETURN_IF_ERROR(validateCall(step.calls[i], i, step));
  return absl::OkStatus();
}

absl::Status validateSteps(const Target &target, uint64_t state_bytes, const Section *weights) {
  if (target.steps.empty())
    return wrong("there is no step");
  LATHE_RETURN_IF_ERROR(validateLength("steps", target.steps.size(), kMaxSteps));
  std::unordered_set<std::string_view> names;
  for (const Step &step : target.steps) {
    LATHE_RETURN_IF_ERROR(validateName("a step's name", step.name));
    if (!names.insert(step.name).second)
      return wrong("step '", step.name, "' stands twice");
    absl::Status status = validateStep(step, state_bytes, weights);
    if (!status.ok())
      return prefixed(status, absl::StrCat("step '", step.name, "': "));
  }
  return absl::OkStatus();
}

absl::Status validateTarget(const Target &target, const Manifest &manifest) {
  LATHE_RETURN_IF_ERROR(validateName("compatibility", target.compatibility));
  LATHE_RETURN_IF_ERROR(validateName("the name of its code section", target.code_section));
  LATHE_RETURN_IF_ERROR(validateText("the name of its weights section", target.weights_section));
  if (!sectionNamed(manifest, target.code_section))
    return wrong("its code section '", target.code_section, "' is not in the artifact");
  const Section *weights = nullptr;
  if (!target.weights_section.empty()) {
    weights = sectionNamed(manifest, target.weights_section);
    if (!weights)
      return wrong("its weights section '", target.weights_section, "' is not in the artifact");
  }
  LATHE_RETURN_IF_ERROR(validateWeights(target, weights));
  return validateSteps(target, stateBytes(manifest), weights);
}

} // namespace

absl::Status validateTargets(const Manifest &manifest) {
  LATHE_RETURN_IF_ERROR(validateLength("targets", manifest.targets.size(), kMaxTargets));
  std::unordered_set<std::string_view> names;
  for (const Target &target : manifest.targets) {
    LATHE_RETURN_IF_ERROR(validateName("a target's name", target.name));
    if (!names.insert(target.name).second)
      return wrong("target '", target.name, "' stands twice");
    absl::Status status = validateTarget(target, manifest);
    if (!status.ok())
      return prefixed(status, absl::StrCat("target '", target.name, "': "));
  }
  return absl::OkStatus();
}

} // namespace lathe::artifact
