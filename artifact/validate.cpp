#include "artifact/validate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_set>

#include <flatbuffers/util.h>

#include "artifact/layout.h"
#include "artifact/validate_internal.h"
#include "base/status.h"

namespace lathe::artifact {
namespace {

constexpr uint32_t kMaxInt32 = std::numeric_limits<int32_t>::max();
constexpr uint32_t kMaxExtent = 1u << 24; // of a vocabulary, of a hidden state
constexpr size_t kMaxSections = 65536, kMaxState = 1u << 20, kMaxEndTokens = 1024;

bool isControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool isUtf8(const std::string &text) {
  for (const char *at = text.c_str(), *end = at + text.size(); at < end;)
    if (flatbuffers::FromUTF8(&at) < 0)
      return false;
  return true;
}

absl::Status validateCount(absl::string_view what, uint32_t value, uint32_t limit = kMaxInt32) {
  if (value >= 1 && value <= limit)
    return absl::OkStatus();
  return wrong(what, " is ", value, "; it must be from 1 to ", limit);
}

absl::Status validateCounts(const Manifest &manifest) {
  LATHE_RETURN_IF_ERROR(validateCount("vocab_size", manifest.vocab_size, kMaxExtent));
  LATHE_RETURN_IF_ERROR(validateCount("hidden_size", manifest.hidden_size, kMaxExtent));
  LATHE_RETURN_IF_ERROR(validateCount("num_layers", manifest.num_layers, 1u << 20));
  LATHE_RETURN_IF_ERROR(validateCount("max_context", manifest.max_context));
  return validateCount("num_slots", manifest.num_slots, 1u << 20);
}

absl::Status validateTexts(const Manifest &manifest) {
  LATHE_RETURN_IF_ERROR(validateText("producer", manifest.producer));
  LATHE_RETURN_IF_ERROR(validateText("family", manifest.family));
  LATHE_RETURN_IF_ERROR(validateText("model", manifest.model));
  LATHE_RETURN_IF_ERROR(validateText("activations", manifest.activations));
  return isUtf8(manifest.explain) ? absl::OkStatus() : wrong("explain is not UTF-8");
}

absl::Status validateTokens(const Manifest &manifest) {
  int64_t vocab_size = manifest.vocab_size;
  if (manifest.bos_token_id < -1 || manifest.bos_token_id >= vocab_size)
    return wrong("bos_token_id is ", manifest.bos_token_id, "; it must be -1 or below vocab_size ",
                 vocab_size);
  LATHE_RETURN_IF_ERROR(
      validateLength("eos_token_ids", manifest.eos_token_ids.size(), kMaxEndTokens));
  for (int32_t id : manifest.eos_token_ids)
    if (id < 0 || id >= vocab_size)
      return wrong("eos_token_ids hold ", id, "; they must be from 0 to ", vocab_size - 1);
  return absl::OkStatus();
}

absl::Status validateSamplingDefaults(const Manifest &manifest) {
  if (!std::isnan(manifest.temperature) &&
      (manifest.temperature < 0 || std::isinf(manifest.temperature)))
    return wrong("temperature is ", manifest.temperature, "; it must be NaN, 0 or more");
  if (!std::isnan(manifest.top_p) && (manifest.top_p < 0 || manifest.top_p > 1))
    return wrong("top_p is ", manifest.top_p, "; it must be NaN or from 0 to 1");
  if (manifest.top_k < 0)
    return wrong("top_k is ", manifest.top_k, "; it must be 0 or more");
  return absl::OkStatus();
}

absl::Status validateSection(const Section &section, uint64_t sections_end) {
  LATHE_RETURN_IF_ERROR(validateName("a section's name", section.name));
  std::string what = absl::StrCat("section '", section.name, "'");
  if (section.offset < kAlignment || section.offset % kAlignment != 0)
    return wrong(what, " begins at ", section.offset, "; it must begin at a multiple of ",
                 kAlignment, " behind the header");
  return validateRange(what, section.offset, section.size, sections_end);
}

// That no two of them share a byte. Their ends are known not to overflow.
template <typename Item>
absl::Status validateApart(absl::string_view what, std::vector<const Item *> items,
                           uint64_t Item::*size) {
  std::sort(items.begin(), items.end(), [size](const Item *a, const Item *b) {
    return a->offset != b->offset ? a->offset < b->offset : a->*size < b->*size;
  });
  for (size_t i = 1; i < items.size(); ++i) {
    uint64_t end = items[i - 1]->offset + items[i - 1]->*size;
    if (end > items[i]->offset)
      return wrong(what, " '", items[i - 1]->name, "' ends at ", end, " but ", what, " '",
                   items[i]->name, "' begins at ", items[i]->offset);
  }
  return absl::OkStatus();
}

absl::Status validateSections(const Manifest &manifest, uint64_t sections_end) {
  LATHE_RETURN_IF_ERROR(validateLength("sections", manifest.sections.size(), kMaxSections));
  std::unordered_set<std::string_view> names;
  std::vector<const Section *> by_offset;
  for (const Section &section : manifest.sections) {
    LATHE_RETURN_IF_ERROR(validateSection(section, sections_end));
    if (!names.insert(section.name).second)
      return wrong("section '", section.name, "' stands twice");
    by_offset.push_back(&section);
  }
  return validateApart("section", by_offset, &Section::size);
}

absl::Status validateState(const Manifest &manifest) {
  LATHE_RETURN_IF_ERROR(validateLength("state entries", manifest.state.size(), kMaxState));
  std::unordered_set<std::string_view> names;
  std::vector<const StateEntry *> by_offset;
  for (const StateEntry &entry : manifest.state) {
    LATHE_RETURN_IF_ERROR(validateName("a state entry's name", entry.name));
    LATHE_RETURN_IF_ERROR(validateText("a state entry's type", entry.type));
    std::string what = absl::StrCat("state entry '", entry.name, "'");
    if (!names.insert(entry.name).second)
      return wrong(what, " stands twice");
    LATHE_RETURN_IF_ERROR(validateRange(what, entry.offset, entry.bytes, kMaxBytes));
    if (entry.bytes_per_token > entry.bytes)
      return wrong(what, " takes ", entry.bytes_per_token, " bytes a token but has ", entry.bytes,
                   " bytes in all");
    by_offset.push_back(&entry);
  }
  return validateApart("state entry", by_offset, &StateEntry::bytes);
}

} // namespace

absl::Status validateText(absl::string_view what, const std::string &text) {
  if (text.size() > kMaxName)
    return wrong(what, " has ", text.size(), " bytes; at most ", kMaxName, " are allowed");
  if (std::any_of(text.begin(), text.end(), isControl))
    return wrong(what, " holds a control character");
  if (!isUtf8(text))
    return wrong(what, " is not UTF-8");
  return absl::OkStatus();
}

absl::Status validateName(absl::string_view what, const std::string &name) {
  if (name.empty())
    return wrong(what, " is empty");
  return validateText(what, name);
}

absl::Status validateLength(absl::string_view what, size_t count, size_t limit) {
  if (count <= limit)
    return absl::OkStatus();
  return wrong("there are ", count, " ", what, "; at most ", limit, " are allowed");
}

absl::Status validateRange(absl::string_view what, uint64_t offset, uint64_t size, uint64_t limit) {
  if (offset <= limit && size <= limit - offset)
    return absl::OkStatus();
  return wrong(what, " has ", size, " bytes from ", offset, " on; it must end by ", limit);
}

absl::Status validateManifest(const Manifest &manifest, uint64_t sections_end) {
  LATHE_RETURN_IF_ERROR(validateTexts(manifest));
  LATHE_RETURN_IF_ERROR(validateCounts(manifest));
  LATHE_RETURN_IF_ERROR(validateTokens(manifest));
  LATHE_RETURN_IF_ERROR(validateSamplingDefaults(manifest));
  LATHE_RETURN_IF_ERROR(validateSections(manifest, sections_end));
  LATHE_RETURN_IF_ERROR(validateState(manifest));
  return validateTargets(manifest);
}

} // namespace lathe::artifact
