// A hostile tokenizer.json, then a zero byte, then a hostile text for it. Whatever loads must
// encode and decode without harm, and must know every id that it gives.
#include <cstdint>
#include <cstdlib>

#include "text/tokenizer/stream.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/utf8.h"

using namespace lathe::text;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

static void decodeAll(const Tokenizer &tokenizer, const std::vector<int32_t> &ids) {
  for (bool skip_special : {false, true}) {
    absl::StatusOr<std::string> text = tokenizer.decode(ids, skip_special);
    if (text.ok())
      require(validPrefix(*text) == text->size());
    else
      require(text.status().code() == absl::StatusCode::kResourceExhausted ||
              text.status().code() == absl::StatusCode::kInvalidArgument);
    DecodeStream stream(tokenizer, skip_special);
    for (size_t i = 0; i < ids.size() && i < 256; ++i)
      if (!stream.push(ids[i]).ok())
        break;
    (void)stream.flush();
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  absl::string_view input(reinterpret_cast<const char *>(data), size);
  size_t zero = std::min(input.find('\0'), size);
  absl::StatusOr<Tokenizer> tokenizer = Tokenizer::load(input.substr(0, zero), "tokenizer.json");
  if (!tokenizer.ok())
    return 0;
  absl::string_view text = input.substr(std::min(zero + 1, size));
  for (bool add_special : {false, true}) {
    absl::StatusOr<std::vector<int32_t>> ids = tokenizer->encode(text, add_special);
    if (!ids.ok())
      continue;
    for (int32_t id : *ids)
      require(tokenizer->idToToken(id).has_value());
    decodeAll(*tokenizer, *ids);
  }
  return 0;
}
