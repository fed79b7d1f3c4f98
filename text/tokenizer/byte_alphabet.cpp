#include "text/tokenizer/byte_alphabet.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

struct Alphabet {
  std::array<char32_t, 256> character;
  std::array<int16_t, 324> byte; // -1: the character stands for no byte
};

bool standsForItself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

const Alphabet &alphabet() {
  static const Alphabet instance = [] {
    Alphabet made;
    made.byte.fill(-1);
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      made.character[byte] = standsForItself(byte) ? byte : next++;
      made.byte[made.character[byte]] = byte;
    }
    return made;
  }();
  return instance;
}

} // namespace

std::string toByteAlphabet(absl::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char byte : bytes)
    appendUtf8(out, alphabet().character[static_cast<uint8_t>(byte)]);
  return out;
}

void appendFromByteAlphabet(std::string &out, absl::string_view text) {
  size_t before = out.size();
  for (size_t at = 0; at < text.size();) {
    Decoded next = decodeAt(text, at);
    at += next.length;
    int byte = next.character < alphabet().byte.size() ? alphabet().byte[next.character] : -1;
    if (byte < 0) {
      out.resize(before);
      absl::StrAppend(&out, text);
      return;
    }
    out += static_cast<char>(byte);
  }
}

} // namespace lathe::text
