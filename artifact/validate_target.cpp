#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "artifact/validate_internal.h"
#include "base/status.h"

namespace lathe::artifact {
namespace {

constexpr uint32_t kMaxRows = 1u << 20;
constexpr uint64_t kMaxRowFactor = 1u << 12;
constexpr size_t kMaxTargets = 256, kMaxSteps = 64, kMaxBuffers = 1024, kMaxCalls = 65536,
                 kMaxParts = 64;

const Section *sectionNamed(const Manifest &manifest, absl::string_view name) {
  auto found = std::find_if(manifest.sections.begin(), manifest.sections.end(),
                            [&](const Section &section) { return section.name == name; });
  return found == manifest.sections.end() ? nullptr : &*found;
}

absl::Status validateWeights(const std::vector<PackedWeight> &weights, const Section *section) {
  if (!section && !weights.empty())
    return wrong("there are ", weights.size(), " weights but no weights section");
  std::unordered_set<std::string_view> names;
  for (const PackedWeight &weight : weights) {
    LATHE_RETURN_IF_ERROR(validateName("a weight's name", weight.name));
    LATHE_RETURN_IF_ERROR(validateText("a weight's layout", weight.layout));
    if (!names.insert(weight.name).second)
      return wrong("weight '", weight.name, "' stands twice");
    LATHE_RETURN_IF_ERROR(validateRange(absl::StrCat("weight '", weight.name, "'"), weight.offset,
                                        weight.size, section->size));
  }
  return absl::OkStatus();
}

// What steps are checked against: bytes of the packed weights of each device, the target's own
// first, and of the target's own state.
struct Devices {
  std::vector<uint64_t> weight_bytes;
  uint64_t state_bytes = 0;
};

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

bool isInput(BufferKind kind) { return kind <= BufferKind::logits; }

absl::Status validateDevice(const Buffer &buffer, const Devices &devices) {
  if (buffer.device >= devices.weight_bytes.size())
    return wrong("a buffer is on device ", buffer.device, "; the target has ",
                 devices.weight_bytes.size());
  if (isInput(buffer.kind) && buffer.device != 0)
    return wrong("a buffer of kind ", static_cast<int>(buffer.kind), " is on device ",
                 buffer.device, "; it belongs to device 0");
  if (buffer.kind != BufferKind::crossing && buffer.offset != 0)
    return wrong("a buffer of kind ", static_cast<int>(buffer.kind), " has offset ", buffer.offset,
                 "; only values that cross between devices have one");
  return absl::OkStatus();
}

absl::Status validateBuffer(const Buffer &buffer, const Step &step, const Devices &devices) {
  if (buffer.kind > BufferKind::crossing)
    return wrong("a buffer's kind is ", static_cast<int>(buffer.kind), "; the last one known is ",
                 static_cast<int>(BufferKind::crossing));
  if (buffer.bytes > kMaxBytes || buffer.offset > kMaxBytes)
    return wrong("a buffer has ", buffer.bytes, " bytes at ", buffer.offset, "; at most ",
                 kMaxBytes, " are allowed");
  LATHE_RETURN_IF_ERROR(validateDevice(buffer, devices));
  uint64_t state_bytes = buffer.device == 0 ? devices.state_bytes : 0;
  uint64_t least = leastBytes(buffer.kind, step.max_rows, state_bytes);
  if (buffer.bytes < least)
    return wrong("a buffer of kind ", static_cast<int>(buffer.kind), " has ", buffer.bytes,
                 " bytes; ", step.max_rows, " rows need ", least);
  uint64_t weight_bytes = devices.weight_bytes[buffer.device];
  if (buffer.kind == BufferKind::weights && buffer.bytes > weight_bytes)
    return wrong("the weights buffer has ", buffer.bytes, " bytes; the weights section has ",
                 weight_bytes);
  return absl::OkStatus();
}

// That `rows` rows of the copy lie within a buffer.
absl::Status validateSide(const char *side, const Buffer &buffer, uint64_t offset, uint64_t stride,
                          uint64_t row_bytes, uint64_t rows) {
  if (offset > kMaxBytes || stride > kMaxBytes || row_bytes > kMaxBytes)
    return wrong("copies ", side, " offset ", offset, " rows of ", row_bytes, " bytes ", stride,
                 " apart; at most ", kMaxBytes, " are allowed");
  // Below 2^48 each and at most 2^32 rows: the sum fits into 128 bits.
  unsigned __int128 end = static_cast<unsigned __int128>(rows - 1) * stride + offset + row_bytes;
  if (end > buffer.bytes)
    return wrong("copies ", rows, " rows ", side, " a buffer of ", buffer.bytes,
                 " bytes, which ends before them");
  return absl::OkStatus();
}

absl::Status validateCopy(const Copy &copy, const Step &step) {
  if (copy.from >= step.buffers.size() || copy.to >= step.buffers.size())
    return wrong("copies from buffer ", copy.from, " to ", copy.to, " but the step has ",
                 step.buffers.size());
  if (copy.rows > RowsOfCopy::output_rows || copy.row_factor < 1 || copy.row_factor > kMaxRowFactor)
    return wrong("copies rows of kind ", static_cast<int>(copy.rows), " times ", copy.row_factor,
                 "; kinds go to ", static_cast<int>(RowsOfCopy::output_rows),
                 ", factors from 1 to ", kMaxRowFactor);
  if (copy.row_bytes == 0)
    return wrong("copies rows of 0 bytes");
  const Buffer &from = step.buffers[copy.from], &to = step.buffers[copy.to];
  if (from.device == to.device || (from.device != 0 && to.device != 0))
    return wrong("copies from device ", from.device, " to device ", to.device,
                 "; it must be between device 0 and another");
  uint64_t rows = (copy.rows == RowsOfCopy::one ? 1 : step.max_rows) * copy.row_factor;
  LATHE_RETURN_IF_ERROR(
      validateSide("from", from, copy.from_offset, copy.from_stride, copy.row_bytes, rows));
  return validateSide("to", to, copy.to_offset, copy.to_stride, copy.row_bytes, rows);
}

absl::Status validateCall(const Call &call, size_t index, const Step &step,
                          const Devices &devices) {
  if (call.copies.empty() || !call.entry.empty())
    LATHE_RETURN_IF_ERROR(validateName("a call's entry", call.entry));
  std::string what = absl::StrCat("call ", index, " ('", call.entry, "')");
  if (call.device >= devices.weight_bytes.size())
    return wrong(what, " runs on device ", call.device, "; the target has ",
                 devices.weight_bytes.size());
  LATHE_RETURN_IF_ERROR(validateLength("buffers of a call", call.buffers.size(), kMaxBuffers));
  for (uint32_t buffer : call.buffers)
    if (buffer >= step.buffers.size())
      return wrong(what, " takes buffer ", buffer, " but the step has ", step.buffers.size());
    else if (step.buffers[buffer].device != call.device)
      return wrong(what, " runs on device ", call.device, " and takes a buffer of device ",
                   step.buffers[buffer].device);
  for (uint32_t wait : call.waits)
    if (wait >= index)
      return wrong(what, " waits for call ", wait, "; it must wait for an earlier one");
  LATHE_RETURN_IF_ERROR(validateLength("copies of a call", call.copies.size(), kMaxBuffers));
  for (const Copy &copy : call.copies)
    if (absl::Status status = validateCopy(copy, step); !status.ok())
      return prefixed(status, absl::StrCat(what, " "));
  return absl::OkStatus();
}

absl::Status validateStep(const Step &step, const Devices &devices) {
  if (step.max_rows < 1 || step.max_rows > kMaxRows)
    return wrong("max_rows is ", step.max_rows, "; it must be from 1 to ", kMaxRows);
  if (step.name == "decode" && step.max_rows != 1)
    return wrong("max_rows is ", step.max_rows, "; decode has 1");
  LATHE_RETURN_IF_ERROR(validateLength("buffers", step.buffers.size(), kMaxBuffers));
  if (step.calls.empty() || step.calls.size() > kMaxCalls)
    return wrong("there are ", step.calls.size(), " calls; there must be from 1 to ", kMaxCalls);
  for (const Buffer &buffer : step.buffers)
    LATHE_RETURN_IF_ERROR(validateBuffer(buffer, step, devices));
  for (size_t i = 0; i < step.calls.size(); ++i)
    LATHE_RETURN_IF_ERROR(validateCall(step.calls[i], i, step, devices));
  return absl::OkStatus();
}

absl::Status validateSteps(const Target &target, const Devices &devices) {
  if (target.steps.empty())
    return wrong("there is no step");
  LATHE_RETURN_IF_ERROR(validateLength("steps", target.steps.size(), kMaxSteps));
  std::unordered_set<std::string_view> names;
  for (const Step &step : target.steps) {
    LATHE_RETURN_IF_ERROR(validateName("a step's name", step.name));
    if (!names.insert(step.name).second)
      return wrong("step '", step.name, "' stands twice");
    absl::Status status = validateStep(step, devices);
    if (!status.ok())
      return prefixed(status, absl::StrCat("step '", step.name, "': "));
  }
  return absl::OkStatus();
}

// Code for one device: a target's own or a part's. Gives the bytes of its packed weights.
template <typename Code>
absl::StatusOr<uint64_t> validateCode(const Code &code, const Manifest &manifest) {
  LATHE_RETURN_IF_ERROR(validateName("compatibility", code.compatibility));
  LATHE_RETURN_IF_ERROR(validateName("the name of its code section", code.code_section));
  LATHE_RETURN_IF_ERROR(validateText("the name of its weights section", code.weights_section));
  if (!sectionNamed(manifest, code.code_section))
    return wrong("its code section '", code.code_section, "' is not in the artifact");
  const Section *weights = nullptr;
  if (!code.weights_section.empty()) {
    weights = sectionNamed(manifest, code.weights_section);
    if (!weights)
      return wrong("its weights section '", code.weights_section, "' is not in the artifact");
  }
  LATHE_RETURN_IF_ERROR(validateWeights(code.weights, weights));
  return weights ? weights->size : 0;
}

absl::Status validateTarget(const Target &target, const Manifest &manifest) {
  Devices devices;
  devices.state_bytes = stateBytes(manifest);
  LATHE_ASSIGN_OR_RETURN(uint64_t own, validateCode(target, manifest));
  devices.weight_bytes.push_back(own);
  LATHE_RETURN_IF_ERROR(validateLength("parts", target.parts.size(), kMaxParts));
  for (const Part &part : target.parts) {
    LATHE_RETURN_IF_ERROR(validateName("a part's name", part.name));
    auto bytes = validateCode(part, manifest);
    if (!bytes.ok())
      return prefixed(bytes.status(), absl::StrCat("part '", part.name, "': "));
    devices.weight_bytes.push_back(*bytes);
  }
  return validateSteps(target, devices);
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
