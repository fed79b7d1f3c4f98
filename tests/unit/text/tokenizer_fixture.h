// Small tokenizers for the tests beside this file, made from JSON.
#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "text/tokenizer/tokenizer.h"

namespace lathe::text {

using Ids = std::vector<int32_t>;
using TestJson = nlohmann::ordered_json;

// A BPE of letters: a b c d, "ab" and "abc" by merges, "▁".
inline TestJson letters() {
  return TestJson::parse(R"({
    "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
    "post_processor": null, "decoder": {"type": "Fuse"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "ab": 4, "abc": 5, "▁": 6},
              "merges": ["a b", ["ab", "c"]]}})");
}

inline TestJson unigramLetters() {
  TestJson json = letters();
  json["model"] = TestJson::parse(R"({"type": "Unigram", "unk_id": 0, "byte_fallback": false,
    "vocab": [["<unk>", 0.0], ["a", -1.0], ["b", -1.5], ["ab", -2.0], ["<0x78>", -9.0]]})");
  return json;
}

inline TestJson addedToken(int id, const std::string &content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

inline absl::StatusOr<Tokenizer> load(const TestJson &json, const std::string &config = "") {
  return Tokenizer::load(json.dump(), "tokenizer.json", config);
}

inline std::string refusal(const absl::StatusOr<Tokenizer> &loaded) {
  return loaded.ok() ? "loaded" : std::string(loaded.status().message());
}

} // namespace lathe::text
