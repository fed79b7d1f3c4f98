#include "code/code.h"

#include <cstring>

#include "border.h"

namespace onednn {
namespace {

constexpr uint64_t kMagic = 0x31306e6e64656e6f; // "onednn01", and the byte order

struct Header {
  uint64_t magic, checksum; // of all that follows these two
  uint64_t weight_count, entry_count, instruction_count;
};
static_assert(sizeof(Header) % 8 == 0 && sizeof(Entry) % 8 == 0 && sizeof(Instruction) % 8 == 0);

// FNV-1a over what stands behind the checksum: finds damage, not malice.
uint64_t checksum(const uint8_t *bytes, uint64_t size) {
  uint64_t sum = 0xcbf29ce484222325;
  for (uint64_t i = 2 * sizeof(uint64_t); i < size; ++i)
    sum = (sum ^ bytes[i]) * 0x100000001b3;
  return sum;
}

void require(bool holds, const char *wrong) {
  if (!holds)
    fail(LATHE_ERROR_INVALID_ARGUMENT, std::string("code: ") + wrong + "; compile it again");
}

template <typename Item> uint8_t *writeItems(uint8_t *bytes, const Item *items, size_t count) {
  if (count > 0)
    std::memcpy(bytes, items, count * sizeof(Item));
  return bytes + count * sizeof(Item);
}

template <typename Item> std::vector<Item> readItems(const uint8_t *&bytes, uint64_t count) {
  std::vector<Item> items(count);
  if (count > 0)
    std::memcpy(static_cast<void *>(items.data()), bytes, count * sizeof(Item));
  bytes += count * sizeof(Item);
  return items;
}

// ---- Whether an entry makes sense ---------------------------------------------------------------

// Of 1 to kMaxExtent: 0 wraps around.
bool isExtent(uint64_t extent) { return extent - 1 < kMaxExtent; }

// Whether a place ends inside of what is bound to it is asked in each run: sizes are known there.
bool isPlace(const Code &code, const Entry &entry, const Place &place) {
  if (!isThere(place))
    return true;
  const uint64_t indices[place_kinds] = {0, entry.input_count, entry.result_count, 1,
                                         code.weight_count};
  return place.kind < place_kinds && place.index < indices[place.kind] &&
         place.offset <= kMaxBytes && place.element < element_count && isSound(place.shape) &&
         place.stride >= place.shape.columns && isExtent(place.stride);
}

bool isInstruction(const Code &code, const Entry &entry, const Instruction &instruction) {
  for (const Place &place : instruction.places)
    if (!isPlace(code, entry, place))
      return false;
  const Place &result = instruction.places[0];
  return (result.kind == place_result || result.kind == place_scratch) && fits(instruction);
}

bool isEntry(const Code &code, const Entry &entry) {
  const uint64_t all = code.instructions.size(), first = entry.first_instruction;
  if (entry.name[sizeof entry.name - 1] != 0 || !isExtent(entry.max_rows) ||
      entry.input_count > UINT16_MAX || entry.result_count > UINT16_MAX || first > all ||
      entry.instruction_count > all - first)
    return false;
  for (uint64_t i = 0; i < entry.instruction_count; ++i)
    if (!isInstruction(code, entry, code.instructions[first + i]))
      return false;
  return true;
}

} // namespace

bool isSound(const Shape &shape) {
  return shape.extent < extent_count && isExtent(shape.rows) && isExtent(shape.columns);
}

uint64_t elementBytes(uint64_t element) { return element == element_bf16 ? 2 : 4; }

uint64_t rowsIn(const Shape &shape, uint64_t rows, uint64_t output_rows) {
  switch (shape.extent) {
  case extent_rows: return shape.rows * rows;
  case extent_output_rows: return shape.rows * output_rows;
  default: return shape.rows;
  }
}

uint64_t bytesOf(const Place &place, uint64_t rows, uint64_t output_rows) {
  const uint64_t count = rowsIn(place.shape, rows, output_rows);
  const uint64_t last = place.shape.columns * elementBytes(place.element);
  return count == 0 ? 0 : (count - 1) * place.stride * elementBytes(place.element) + last;
}

std::vector<uint8_t> writeCode(const Code &code) {
  Header header = {kMagic, 0, code.weight_count, code.entries.size(), code.instructions.size()};
  std::vector<uint8_t> bytes(sizeof header + code.entries.size() * sizeof(Entry) +
                             code.instructions.size() * sizeof(Instruction));
  uint8_t *entries = bytes.data() + sizeof header;
  uint8_t *instructions = writeItems(entries, code.entries.data(), code.entries.size());
  writeItems(instructions, code.instructions.data(), code.instructions.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  header.checksum = checksum(bytes.data(), bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Code readCode(const void *begin, uint64_t size) {
  const auto *bytes = static_cast<const uint8_t *>(begin);
  Header header;
  require(size >= sizeof header, "shorter than its header");
  std::memcpy(&header, bytes, sizeof header);
  require(header.magic == kMagic, "not made by this plugin, or for another byte order");
  const uint64_t left = size - sizeof header;
  require(header.entry_count <= left / sizeof(Entry) &&
              header.instruction_count <= left / sizeof(Instruction) &&
              header.entry_count * sizeof(Entry) + header.instruction_count * sizeof(Instruction) ==
                  left,
          "not as long as its header says");
  require(header.checksum == checksum(bytes, size), "damaged");
  Code code;
  code.weight_count = header.weight_count;
  bytes += sizeof header;
  code.entries = readItems<Entry>(bytes, header.entry_count);
  code.instructions = readItems<Instruction>(bytes, header.instruction_count);
  for (const Entry &entry : code.entries)
    require(isEntry(code, entry), "an entry or an instruction makes no sense");
  return code;
}

} // namespace onednn
