// tokenizer.json as it is read: the long lists of the model packed, everything else as JSON.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "text/tokenizer/json_fields.h"

namespace lathe::text {

// A vocabulary or a list of merges holds at most so many entries, and an id is below it.
constexpr int64_t kMaxVocabulary = 1 << 21;
constexpr int64_t kMaxMerges = 1 << 22;

// What stands in model.vocab: an object of ids (BPE), or a list of [token, score] (Unigram).
struct VocabularyEntry {
  absl::string_view token; // in Document::strings
  int64_t id;              // an object's; a list's entries have their place as id
  double score;            // a list's
};

// One element of model.merges. The legacy spelling "a b" has all of it in `left`.
struct MergeEntry {
  absl::string_view left, right; // in Document::merge_strings
  bool legacy;
};

enum class VocabularyShape { kAbsent, kObject, kList };

// Movable. The views point into the two string stores, not into the text that was parsed.
struct Document {
  Json json; // without model.vocab and model.merges
  VocabularyShape shape = VocabularyShape::kAbsent;
  std::vector<VocabularyEntry> vocabulary;
  bool has_merges = false;
  std::vector<MergeEntry> merges;
  std::unique_ptr<char[]> strings, merge_strings;
};

// Parses without building a tree for the vocabulary: a tree of 128,000 tokens and as many merges
// would take longer than everything else that loading does. Refuses nesting deeper than 64 levels,
// a key that stands twice in an object, and lists over the limits above. `source` names the file.
absl::StatusOr<Document> readDocument(absl::string_view text, absl::string_view source);

} // namespace lathe::text
