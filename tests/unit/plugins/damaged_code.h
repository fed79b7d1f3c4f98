// Code of a plugin that is damaged, or made to harm. The second word of a format may be the
// checksum (FNV-1a) of all behind it, which who means harm mends.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace lathe::plugins {

using CodeBytes = std::vector<uint8_t>;
// Loads the code, or loads and runs it with memory as large as the right code needs.
using UseCode = std::function<absl::Status(const CodeBytes &)>;

using Mend = std::function<void(CodeBytes &)>;

inline constexpr size_t kHead = 16;

inline void mendNothing(CodeBytes &) {}

inline void mendChecksum(CodeBytes &code) {
  uint64_t sum = 0xcbf29ce484222325;
  for (size_t i = kHead; i < code.size(); ++i)
    sum = (sum ^ code[i]) * 0x100000001b3;
  std::memcpy(code.data() + 8, &sum, 8);
}

inline CodeBytes flipped(CodeBytes code, size_t bit) {
  code[bit / 8] ^= 1 << bit % 8;
  return code;
}

inline void expectRefusedWhereverCutOff(const CodeBytes &code, const UseCode &load,
                                        const Mend &mend = mendChecksum) {
  for (size_t size = 0; size < code.size(); ++size) {
    CodeBytes cut(code.begin(), code.begin() + size);
    ASSERT_FALSE(load(cut).ok()) << size;
    if (size >= kHead)
      mend(cut);
    ASSERT_FALSE(load(cut).ok()) << size;
  }
  CodeBytes longer = code;
  longer.push_back(0);
  EXPECT_THAT(load(longer).message(), testing::HasSubstr("not as long as its header says"));
}

inline void expectRefusedWithAnyBitFlipped(const CodeBytes &code, const UseCode &load) {
  for (size_t i = 0; i < code.size() * 8; ++i)
    ASSERT_EQ(load(flipped(code, i)).code(), absl::StatusCode::kInvalidArgument) << i;
}

// Any answer is fine; sanitizers and the end of the test tell of harm.
inline void useWithBitsFlipped(const CodeBytes &code, const UseCode &use,
                               const Mend &mend = mendChecksum) {
  for (size_t i = 0; i < code.size() * 8; ++i) {
    CodeBytes changed = flipped(code, i);
    mend(changed);
    use(changed).IgnoreError();
  }
}

inline void useWithWordsReplaced(const CodeBytes &code, absl::Span<const uint64_t> words,
                                 const UseCode &use, const Mend &mend = mendChecksum) {
  for (size_t i = 0; i + 8 <= code.size(); i += 8)
    for (uint64_t word : words) {
      CodeBytes changed = code;
      std::memcpy(changed.data() + i, &word, 8);
      mend(changed);
      use(changed).IgnoreError();
    }
}

} // namespace lathe::plugins
