// GPT-2's alphabet of bytes: every byte has a visible character, so that a vocabulary of bytes can
// be written as text. Printable bytes are themselves, the others U+0100 and up, in order.
// Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" (encoder.py).
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace lathe::text {

// Each byte of `bytes` as its character.
std::string toByteAlphabet(absl::string_view bytes);

// Appends the bytes that the characters of a valid text stand for; the text itself when one of its
// characters stands for no byte.
void appendFromByteAlphabet(std::string &out, absl::string_view text);

} // namespace lathe::text
