#include "tools/lathe/inspect_parts.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "tools/lathe/units.h"

namespace lathe::cli {
namespace {

using artifact::Artifact;
using artifact::BufferKind;
using artifact::Call;
using artifact::Copy;
using artifact::Part;
using artifact::Step;
using artifact::Target;

// Of one part: its device is `device`.
struct Work {
  uint64_t calls = 0, to_bytes = 0, from_bytes = 0; // of a decoded token
  uint64_t scratch_bytes = 0, state_bytes = 0;      // as much as a session takes
};

// In a step of one row, of which the logits are wanted.
uint64_t bytesOf(const Copy &copy) { return copy.row_bytes * copy.row_factor; }

void addCall(const Step &step, const Call &call, uint32_t device, Work &work) {
  work.calls += call.device == device && !call.entry.empty();
  for (const Copy &copy : call.copies) {
    work.to_bytes += step.buffers[copy.to].device == device ? bytesOf(copy) : 0;
    work.from_bytes += step.buffers[copy.from].device == device ? bytesOf(copy) : 0;
  }
}

Work workOf(const Target &target, uint32_t device) {
  Work work;
  for (const Step &step : target.steps) {
    for (const artifact::Buffer &buffer : step.buffers)
      if (buffer.device == device && buffer.kind == BufferKind::arena)
        work.scratch_bytes = std::max(work.scratch_bytes, buffer.bytes);
      else if (buffer.device == device && buffer.kind == BufferKind::state)
        work.state_bytes = std::max(work.state_bytes, buffer.bytes);
    if (step.name == "decode")
      for (const Call &call : step.calls)
        addCall(step, call, device, work);
  }
  return work;
}

} // namespace

uint64_t sectionBytes(const Artifact &artifact, const std::string &name) {
  const artifact::Section *section = artifact.findSection(name);
  return section ? section->size : 0;
}

std::vector<std::vector<std::string>> partRows(const Artifact &artifact) {
  std::vector<std::vector<std::string>> rows;
  for (const Target &target : artifact.manifest().targets)
    for (uint32_t i = 0; i < target.parts.size(); ++i) {
      const Part &part = target.parts[i];
      const Work work = workOf(target, i + 1);
      rows.push_back(
          {part.name, bytesText(sectionBytes(artifact, part.code_section)),
           bytesText(sectionBytes(artifact, part.weights_section)), bytesText(work.scratch_bytes),
           bytesText(work.state_bytes), absl::StrCat(work.calls),
           absl::StrCat(bytesText(work.to_bytes), " there, ", bytesText(work.from_bytes), " back"),
           part.compatibility});
    }
  if (!rows.empty())
    rows.insert(rows.begin(), {"part", "code", "weights", "scratch", "state", "calls per token",
                               "copied per token", "needs"});
  return rows;
}

nlohmann::ordered_json partsJson(const Artifact &artifact, const Target &target) {
  auto list = nlohmann::ordered_json::array();
  for (uint32_t i = 0; i < target.parts.size(); ++i) {
    const Part &part = target.parts[i];
    const Work work = workOf(target, i + 1);
    list.push_back({{"name", part.name},
                    {"compatibility", part.compatibility},
                    {"code_bytes", sectionBytes(artifact, part.code_section)},
                    {"weights_bytes", sectionBytes(artifact, part.weights_section)},
                    {"scratch_bytes", work.scratch_bytes},
                    {"state_bytes", work.state_bytes},
                    {"calls_per_token", work.calls},
                    {"to_bytes_per_token", work.to_bytes},
                    {"from_bytes_per_token", work.from_bytes}});
  }
  return list;
}

} // namespace lathe::cli
