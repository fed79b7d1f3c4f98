#include "artifact/serialize.h"

#include <algorithm>
#include <cstring>

#include "artifact/manifest_generated.h"
#include "base/status.h"

namespace lathe::artifact {
namespace {

using flatbuffers::Offset;
using flatbuffers::Vector;
using Builder = flatbuffers::FlatBufferBuilder;

template <typename Item, typename Write>
auto writeTables(Builder &builder, const std::vector<Item> &items, Write write) {
  std::vector<decltype(write(builder, items.front()))> offsets;
  offsets.reserve(items.size());
  for (const Item &item : items)
    offsets.push_back(write(builder, item));
  return builder.CreateVector(offsets);
}

Offset<file::Section> writeSection(Builder &builder, const Section &section) {
  uint64_t low, high;
  std::memcpy(&low, section.digest.data(), 8);
  std::memcpy(&high, section.digest.data() + 8, 8);
  return file::CreateSection(builder, builder.CreateString(section.name), section.offset,
                             section.size, low, high);
}

Offset<file::PackedWeight> writeWeight(Builder &builder, const PackedWeight &weight) {
  auto name = builder.CreateString(weight.name);
  auto layout = builder.CreateString(weight.layout);
  return file::CreatePackedWeight(builder, name, layout, weight.offset, weight.size);
}

Offset<file::Buffer> writeBuffer(Builder &builder, const Buffer &buffer) {
  return file::CreateBuffer(builder, static_cast<file::BufferKind>(buffer.kind), buffer.bytes,
                            buffer.device, buffer.offset);
}

Offset<file::Copy> writeCopy(Builder &builder, const Copy &copy) {
  return file::CreateCopy(builder, copy.from, copy.to, copy.from_offset, copy.to_offset,
                          copy.from_stride, copy.to_stride, copy.row_bytes,
                          static_cast<file::RowsOfCopy>(copy.rows), copy.row_factor);
}

Offset<file::Call> writeCall(Builder &builder, const Call &call) {
  auto entry = builder.CreateString(call.entry);
  auto buffers = builder.CreateVector(call.buffers);
  auto waits = builder.CreateVector(call.waits);
  auto copies = writeTables(builder, call.copies, writeCopy);
  return file::CreateCall(builder, call.device, entry, buffers, waits, copies);
}

Offset<file::Step> writeStep(Builder &builder, const Step &step) {
  auto name = builder.CreateString(step.name);
  auto buffers = writeTables(builder, step.buffers, writeBuffer);
  auto calls = writeTables(builder, step.calls, writeCall);
  return file::CreateStep(builder, name, step.max_rows, buffers, calls);
}

Offset<file::Part> writePart(Builder &builder, const Part &part) {
  auto name = builder.CreateString(part.name);
  auto compatibility = builder.CreateString(part.compatibility);
  auto code = builder.CreateString(part.code_section);
  auto weights_section = builder.CreateString(part.weights_section);
  auto weights = writeTables(builder, part.weights, writeWeight);
  return file::CreatePart(builder, name, compatibility, code, weights_section, weights);
}

Offset<file::Target> writeTarget(Builder &builder, const Target &target) {
  auto name = builder.CreateString(target.name);
  auto compatibility = builder.CreateString(target.compatibility);
  auto code = builder.CreateString(target.code_section);
  auto weights_section = builder.CreateString(target.weights_section);
  auto weights = writeTables(builder, target.weights, writeWeight);
  auto steps = writeTables(builder, target.steps, writeStep);
  auto parts = writeTables(builder, target.parts, writePart);
  return file::CreateTarget(builder, name, compatibility, code, weights_section, weights, steps,
                            parts);
}

Offset<file::StateEntry> writeState(Builder &builder, const StateEntry &entry) {
  auto name = builder.CreateString(entry.name);
  auto type = builder.CreateString(entry.type);
  return file::CreateStateEntry(builder, name, type, entry.bytes_per_token, entry.offset,
                                entry.bytes, entry.flops_per_key, entry.window);
}

// Copies out of verified bytes. Offsets in a FlatBuffer may point at one string or vector many
// times, so that a small file could unpack into a huge manifest. Ours never do: each byte of the
// file pays for itself once, and a file that asks for more is refused.
class Unpacker {
public:
  explicit Unpacker(uint64_t budget) : budget_(budget) {}

  bool withinBudget() const { return !exhausted_; }

  std::string text(const flatbuffers::String *text) {
    return text && spend(text->size()) ? text->str() : std::string();
  }

  template <typename Number> std::vector<Number> numbers(const Vector<Number> *vector) {
    if (!vector || !spend(vector->size() * sizeof(Number)))
      return {};
    return std::vector<Number>(vector->begin(), vector->end());
  }

  template <typename Table, typename Read>
  auto tables(const Vector<Offset<Table>> *vector, Read read) {
    std::vector<decltype(read(*this, *vector->Get(0)))> items;
    if (!vector || !spend(vector->size() * sizeof(Offset<Table>)))
      return items;
    items.reserve(vector->size());
    for (const Table *table : *vector)
      items.push_back(read(*this, *table));
    return items;
  }

private:
  bool spend(uint64_t bytes) {
    exhausted_ = exhausted_ || bytes > budget_;
    if (!exhausted_)
      budget_ -= bytes;
    return !exhausted_;
  }

  uint64_t budget_;
  bool exhausted_ = false;
};

Section readSection(Unpacker &unpack, const file::Section &table) {
  Section section{unpack.text(table.name()), table.offset(), table.size(), {}};
  uint64_t low = table.digest_low(), high = table.digest_high();
  std::memcpy(section.digest.data(), &low, 8);
  std::memcpy(section.digest.data() + 8, &high, 8);
  return section;
}

PackedWeight readWeight(Unpacker &unpack, const file::PackedWeight &table) {
  return {unpack.text(table.name()), unpack.text(table.layout()), table.offset(), table.size()};
}

Buffer readBuffer(Unpacker &, const file::Buffer &table) {
  return {static_cast<BufferKind>(table.kind()), table.bytes(), table.device(), table.offset()};
}

Copy readCopy(Unpacker &, const file::Copy &table) {
  return {table.from(),        table.to(),
          table.from_offset(), table.to_offset(),
          table.from_stride(), table.to_stride(),
          table.row_bytes(),   static_cast<RowsOfCopy>(table.rows()),
          table.row_factor()};
}

Call readCall(Unpacker &unpack, const file::Call &table) {
  return {table.device(), unpack.text(table.entry()), unpack.numbers(table.buffers()),
          unpack.numbers(table.waits()), unpack.tables(table.copies(), readCopy)};
}

Step readStep(Unpacker &unpack, const file::Step &table) {
  return {unpack.text(table.name()), table.max_rows(), unpack.tables(table.buffers(), readBuffer),
          unpack.tables(table.calls(), readCall)};
}

Part readPart(Unpacker &unpack, const file::Part &table) {
  return {unpack.text(table.name()), unpack.text(table.compatibility()),
          unpack.text(table.code_section()), unpack.text(table.weights_section()),
          unpack.tables(table.weights(), readWeight)};
}

Target readTarget(Unpacker &unpack, const file::Target &table) {
  return {unpack.text(table.name()),
          unpack.text(table.compatibility()),
          unpack.text(table.code_section()),
          unpack.text(table.weights_section()),
          unpack.tables(table.weights(), readWeight),
          unpack.tables(table.steps(), readStep),
          unpack.tables(table.parts(), readPart)};
}

StateEntry readState(Unpacker &unpack, const file::StateEntry &table) {
  return {unpack.text(table.name()),
          unpack.text(table.type()),
          table.bytes_per_token(),
          table.offset(),
          table.bytes(),
          table.flops_per_key(),
          table.window()};
}

Manifest readFields(Unpacker &unpack, const file::Manifest &table) {
  Manifest manifest;
  manifest.producer = unpack.text(table.producer());
  manifest.family = unpack.text(table.family());
  manifest.model = unpack.text(table.model());
  manifest.activations = unpack.text(table.activations());
  manifest.vocab_size = table.vocab_size();
  manifest.hidden_size = table.hidden_size();
  manifest.num_layers = table.num_layers();
  manifest.max_context = table.max_context();
  manifest.num_slots = table.num_slots();
  manifest.parameters = table.parameters();
  manifest.active_weight_bytes = table.active_weight_bytes();
  manifest.bos_token_id = table.bos_token_id();
  manifest.eos_token_ids = unpack.numbers(table.eos_token_ids());
  manifest.temperature = table.temperature();
  manifest.top_p = table.top_p();
  manifest.top_k = table.top_k();
  manifest.sections = unpack.tables(table.sections(), readSection);
  manifest.state = unpack.tables(table.state(), readState);
  manifest.targets = unpack.tables(table.targets(), readTarget);
  manifest.explain = unpack.text(table.explain());
  manifest.decode_flops = table.decode_flops();
  return manifest;
}

bool verifies(absl::Span<const uint8_t> bytes) {
  const flatbuffers::uoffset_t max_depth = 16; // ours nest 5 deep
  // A table is at least an offset in a vector and an offset to its vtable.
  auto max_tables = static_cast<flatbuffers::uoffset_t>(bytes.size() / 8 + 1);
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), max_depth, max_tables);
  return file::VerifyManifestBuffer(verifier);
}

} // namespace

std::string serializeManifest(const Manifest &manifest) {
  Builder builder;
  auto producer = builder.CreateString(manifest.producer);
  auto family = builder.CreateString(manifest.family);
  auto model = builder.CreateString(manifest.model);
  auto activations = builder.CreateString(manifest.activations);
  auto eos = builder.CreateVector(manifest.eos_token_ids);
  auto sections = writeTables(builder, manifest.sections, writeSection);
  auto state = writeTables(builder, manifest.state, writeState);
  auto targets = writeTables(builder, manifest.targets, writeTarget);
  auto explain = builder.CreateString(manifest.explain);
  auto root = file::CreateManifest(
      builder, producer, family, model, activations, manifest.vocab_size, manifest.hidden_size,
      manifest.num_layers, manifest.max_context, manifest.num_slots, manifest.parameters,
      manifest.active_weight_bytes, manifest.bos_token_id, eos, manifest.temperature,
      manifest.top_p, manifest.top_k, sections, state, targets, explain, manifest.decode_flops);
  file::FinishManifestBuffer(builder, root);
  return {reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize()};
}

absl::StatusOr<Manifest> parseManifest(absl::Span<const uint8_t> bytes, absl::string_view source) {
  const uint64_t limit = 1u << 30; // FlatBuffers' own is 2 GiB
  if (bytes.size() >= limit)
    return absl::InvalidArgumentError(absl::StrCat(source, ": the manifest has ", bytes.size(),
                                                   " bytes, more than the ", limit,
                                                   " that one may have"));
  if (!verifies(bytes))
    return absl::InvalidArgumentError(absl::StrCat(source, ": the manifest's ", bytes.size(),
                                                   " bytes are not a well-formed manifest"));
  Unpacker unpack(bytes.size());
  Manifest manifest = readFields(unpack, *file::GetManifest(bytes.data()));
  if (!unpack.withinBudget())
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": the manifest unpacks to more than its ", bytes.size(), " bytes"));
  return manifest;
}

} // namespace lathe::artifact
