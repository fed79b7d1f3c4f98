// The way from new ids to text on a screen: whole characters, as soon as they are sure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "text/tokenizer/stream.h"
#include "tools/lathe/stop_texts.h"

namespace lathe::cli {

// Not thread-safe. The tokenizer must outlive it.
class TextOutput {
public:
  using Sink = std::function<void(absl::string_view)>;

  TextOutput(const text::Tokenizer &tokenizer, std::vector<std::string> stops, Sink sink)
      : tokenizer_(tokenizer), stream_(tokenizer, /*skip_special=*/true), stops_(std::move(stops)),
        sink_(std::move(sink)) {}

  // The ids that the text goes on from: they decide how the first word is spelt (with a space in
  // front, or not). Shows nothing.
  void follow(absl::Span<const int32_t> ids);

  // False: a stop text was found, and what stood before it was shown. An id that the tokenizer does
  // not know (a model's output may be wider than its vocabulary) has no text.
  absl::StatusOr<bool> push(int32_t id);
  absl::Status finish();

  const std::string &text() const { return text_; } // all that was shown

private:
  void show(absl::string_view text);

  const text::Tokenizer &tokenizer_;
  text::DecodeStream stream_;
  StopTexts stops_;
  Sink sink_;
  std::string text_;
  bool began_ = false;
};

} // namespace lathe::cli
