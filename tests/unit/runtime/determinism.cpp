// Bitwise the same, whatever the number of threads and however the tokens are cut into steps.
#include <cstring>

#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_model.h"

namespace lathe::runtime {
namespace {

std::vector<int32_t> prompt() {
  std::vector<int32_t> tokens(kFakeContext);
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<int32_t>(i * i % 13);
  tokens[0] = 1;
  return tokens;
}

// The bits of the logits behind each token.
std::vector<uint32_t> bitsOf(int threads, int prefill_chunk) {
  SessionOptions options;
  options.prefill_chunk = prefill_chunk;
  auto session = fakeSession(threads, options);
  std::vector<uint32_t> bits;
  absl::Status status = session->feedAll(prompt(), [&](size_t, absl::Span<const float> logits) {
    size_t before = bits.size();
    bits.resize(before + logits.size());
    std::memcpy(bits.data() + before, logits.data(), logits.size() * sizeof(float));
  });
  EXPECT_EQ(status, absl::OkStatus());
  return bits;
}

TEST(Determinism, holdsForEveryNumberOfThreads) {
  std::vector<uint32_t> one = bitsOf(1, 0);
  EXPECT_EQ(one.size(), kFakeContext * static_cast<size_t>(kFakeVocab));
  EXPECT_EQ(bitsOf(2, 0), one);
  EXPECT_EQ(bitsOf(3, 0), one);
  EXPECT_EQ(bitsOf(16, 0), one);
}

TEST(Determinism, holdsForEveryChunk) {
  std::vector<uint32_t> whole = bitsOf(1, 0);
  for (int chunk : {1, 2, 3, 5, 7, 8})
    EXPECT_EQ(bitsOf(3, chunk), whole) << chunk;
}

TEST(Determinism, holdsForASecondRunInTheSameSession) {
  auto session = fakeSession(3);
  ASSERT_TRUE(session->feed(prompt()).ok());
  std::vector<float> first(session->logits().begin(), session->logits().end());
  for (bool reset : {false, true}) {
    ASSERT_TRUE((reset ? session->reset() : session->rewind(0)).ok());
    ASSERT_TRUE(session->feed(prompt()).ok());
    EXPECT_EQ(std::vector<float>(session->logits().begin(), session->logits().end()), first);
  }
}

} // namespace
} // namespace lathe::runtime
