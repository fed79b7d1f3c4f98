#include "tools/compiler/placed_target.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "tools/compiler/manifest.h"

namespace lathe::compiler {
namespace {

using artifact::Buffer;
using artifact::BufferKind;
using artifact::Copy;
using artifact::RowsOfCopy;
using passes::Part;
using x86::PlacedStep;
using x86::ValuePlace;

constexpr uint64_t kAlignment = 64;            // of values in the memory of a device
constexpr size_t kPackPiece = size_t{4} << 20; // bytes that a plugin is asked for at once

uint64_t aligned(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

std::string weightsSection(const OnTarget &on) {
  return on.code->weights().empty() ? "" : absl::StrCat("weights.", on.target.name);
}

artifact::Part makePart(const OnTarget &on) {
  artifact::Part part{on.target.name,
                      on.code->compatibility(),
                      absl::StrCat("code.", on.target.name),
                      weightsSection(on),
                      {}};
  for (const plugin::PackedWeight &weight : on.code->weights())
    part.weights.push_back({absl::StrCat(weight.name, "#", part.weights.size()), weight.layout,
                            weight.offset, weight.size});
  return part;
}

// One step program, from what home runs and what others run.
class StepMaker {
public:
  StepMaker(const PlacedStep &placed, const Placement &placement, uint64_t weight_bytes,
            uint32_t vocab_size)
      : placed_(placed), placement_(placement) {
    step_.name = placed.name;
    step_.max_rows = static_cast<uint32_t>(placed.max_rows);
    step_.buffers = homeBuffers(placed.max_rows, placed.arena_bytes, placed.state_bytes,
                                weight_bytes, vocab_size);
    for (size_t device = 1; device <= placement.targets.size(); ++device)
      addDevice(static_cast<uint32_t>(device), *placement.targets[device - 1]);
  }

  artifact::Step make() {
    for (const PlacedStep::Item &item : placed_.items)
      if (item.part)
        addPart(item);
      else
        addHome(item.entry);
    return std::move(step_);
  }

private:
  // Scratch, weights and state of a device, which all of its entries share.
  void addDevice(uint32_t device, const OnTarget &on) {
    uint64_t scratch = 0;
    for (const auto &parts : placement_.parts)
      for (const Part &part : parts)
        if (part.target == on.target.name)
          scratch = std::max(scratch, on.code->scratchBytes(part.name));
    first_.push_back(static_cast<uint32_t>(step_.buffers.size()));
    step_.buffers.push_back({BufferKind::arena, scratch, device, 0});
    step_.buffers.push_back({BufferKind::weights, on.code->weightBytes(), device, 0});
    step_.buffers.push_back({BufferKind::state, on.code->stateBytes(), device, 0});
  }

  uint32_t deviceOf(const Part &part) const {
    for (size_t i = 0; i < placement_.targets.size(); ++i)
      if (placement_.targets[i]->target.name == part.target)
        return static_cast<uint32_t>(i + 1);
    return 0;
  }

  void addCall(artifact::Call call) {
    if (!step_.calls.empty())
      call.waits = {static_cast<uint32_t>(step_.calls.size() - 1)};
    step_.calls.push_back(std::move(call));
  }

  void addHome(const std::string &entry) {
    artifact::Call call{0, entry, {}, {}, {}};
    for (uint32_t i = 0; i < kHomeBuffers; ++i)
      call.buffers.push_back(i);
    addCall(std::move(call));
  }

  // Values of a part stand side by side in the memory of its device; the next part's take their
  // place.
  void addPart(const PlacedStep::Item &item) {
    const uint32_t device = deviceOf(*item.part);
    artifact::Call call{device, item.part->name, {}, {}, {}}, back{0, "", {}, {}, {}};
    uint64_t end = 0;
    for (const ValuePlace &input : item.inputs) {
      const uint32_t buffer = addCrossing(device, input, end);
      call.buffers.push_back(buffer);
      call.copies.push_back(copyOf(input, buffer, /*to_home=*/false));
    }
    for (const ValuePlace &result : item.results) {
      const uint32_t buffer = addCrossing(device, result, end);
      call.buffers.push_back(buffer);
      back.copies.push_back(copyOf(result, buffer, /*to_home=*/true));
    }
    for (uint32_t i = 0; i < LATHE_BIND_COUNT; ++i)
      call.buffers.push_back(first_[device - 1] + i);
    addCall(std::move(call));
    if (!back.copies.empty())
      addCall(std::move(back));
  }

  uint32_t addCrossing(uint32_t device, const ValuePlace &place, uint64_t &end) {
    const uint64_t rows = place.rows.factor * (place.has_constant_rows ? 1 : placed_.max_rows);
    step_.buffers.push_back({BufferKind::crossing, rows * place.row_bytes, device, end});
    end = aligned(end + rows * place.row_bytes);
    return static_cast<uint32_t>(step_.buffers.size() - 1);
  }

  // The kinds of home's buffers are their places, too.
  static Copy copyOf(const ValuePlace &place, uint32_t crossing, bool to_home) {
    const auto home = static_cast<uint32_t>(place.buffer);
    Copy copy;
    copy.from = to_home ? crossing : home;
    copy.to = to_home ? home : crossing;
    (to_home ? copy.to_offset : copy.from_offset) = place.offset;
    copy.from_stride = to_home ? place.row_bytes : place.stride;
    copy.to_stride = to_home ? place.stride : place.row_bytes;
    copy.row_bytes = place.row_bytes;
    copy.rows = place.has_constant_rows     ? RowsOfCopy::one
                : place.rows.is_output_rows ? RowsOfCopy::output_rows
                                            : RowsOfCopy::rows;
    copy.row_factor = place.rows.factor;
    return copy;
  }

  static constexpr uint32_t kHomeBuffers = 8;

  const PlacedStep &placed_;
  const Placement &placement_;
  artifact::Step step_;
  std::vector<uint32_t> first_; // of the three buffers that a device's entries share
};

} // namespace

artifact::Target makePlacedTarget(const x86::Level &level,
                                  const std::vector<x86::PlacedStep> &steps,
                                  const Placement &placement, const x86::WeightPlan &weights,
                                  uint32_t vocab_size) {
  artifact::Target target = makeTarget(level, {}, weights, vocab_size);
  for (const auto &on : placement.targets) {
    absl::StrAppend(&target.name, "+", on->target.name);
    target.parts.push_back(makePart(*on));
  }
  for (const PlacedStep &step : steps)
    target.steps.push_back(StepMaker(step, placement, weights.bytes(), vocab_size).make());
  return target;
}

static absl::Status addWeights(artifact::ArtifactWriter &writer, const OnTarget &on,
                               const CompileOptions &options) {
  LATHE_RETURN_IF_ERROR(writer.beginSection(weightsSection(on)));
  std::vector<uint8_t> piece;
  for (size_t i = 0; i < on.code->weights().size(); ++i) {
    const auto &[name, layout, offset, size] = on.code->weights()[i];
    piece.assign(offset - writer.sectionSize(), 0);
    LATHE_RETURN_IF_ERROR(writer.write(piece.data(), piece.size()));
    for (uint64_t done = 0; done < size; done += piece.size()) {
      if (options.cancelled && options.cancelled->load())
        return absl::CancelledError("interrupted");
      piece.resize(std::min<uint64_t>(kPackPiece, size - done));
      LATHE_RETURN_IF_ERROR(on.code->pack(i, done, absl::MakeSpan(piece)));
      LATHE_RETURN_IF_ERROR(writer.write(piece.data(), piece.size()));
      if (options.progress)
        options.progress(absl::StrCat("packing weights for ", on.target.name), writer.sectionSize(),
                         on.code->weightBytes());
    }
  }
  return writer.endSection().status();
}

absl::Status addPlacedSections(artifact::ArtifactWriter &writer, const Placement &placement,
                               const CompileOptions &options) {
  for (const auto &on : placement.targets) {
    absl::string_view code(reinterpret_cast<const char *>(on->code->bytes().data()),
                           on->code->bytes().size());
    LATHE_RETURN_IF_ERROR(writer.addSection(absl::StrCat("code.", on->target.name), code).status());
    if (!on->code->weights().empty())
      LATHE_RETURN_IF_ERROR(addWeights(writer, *on, options));
  }
  return absl::OkStatus();
}

} // namespace lathe::compiler
