#include "backends/x86/pack/encode.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "backends/x86/pack/layout.h"
#include "base/file.h"
#include "base/float_formats.h"
#include "base/json.h"

namespace lathe::x86 {
namespace {

// Numbers of every magnitude, and those where two codes meet.
std::vector<float> manyFloats() {
  std::mt19937 random(1);
  std::vector<float> values;
  for (int i = 0; i < 200000; ++i) {
    uint32_t bits = static_cast<uint32_t>(random());
    float value = f32FromBits(i % 2 ? bits & 0xfff00000 : bits); // ties of e4m3 every other time
    if (std::isfinite(value))
      values.push_back(value);
    values.push_back(std::ldexp(static_cast<float>(random() % 4096), -14) * (i % 3 ? 1.0f : -1.0f));
  }
  return values;
}

TEST(Encode, roundsE4m3AsTheSlowConversion) {
  const std::vector<float> values = manyFloats();
  std::vector<uint8_t> codes(values.size());
  for (float scale : {1.0f, 0.0123f, 3e-41f}) {
    encodeE4m3(values.data(), static_cast<int64_t>(values.size()), scale, codes.data());
    for (size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(codes[i], e4m3FromF32(values[i] / scale)) << values[i] << " / " << scale;
  }
}

TEST(Encode, roundsBf16AsTheSlowConversion) {
  const std::vector<float> values = manyFloats();
  std::vector<uint16_t> codes(values.size());
  encodeBf16(values.data(), static_cast<int64_t>(values.size()), codes.data());
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(codes[i], bf16FromF32(values[i])) << values[i];
}

template <typename Code> void expectDecoded(Format::Kind format, Code code, float expected) {
  float value;
  decodeRun(format, reinterpret_cast<const uint8_t *>(&code), 1, &value);
  ASSERT_EQ(bitsOfF32(value), bitsOfF32(expected)) << formatName(format) << " " << int(code);
}

TEST(Encode, decodesEveryFiniteCode) {
  for (uint32_t code = 0; code < 65536; ++code) {
    if ((code & 0x7c00) != 0x7c00)
      expectDecoded<uint16_t>(Format::f16, static_cast<uint16_t>(code),
                              f32FromF16(static_cast<uint16_t>(code)));
    if ((code & 0x7f80) != 0x7f80)
      expectDecoded<uint16_t>(Format::bf16, static_cast<uint16_t>(code),
                              f32FromBf16(static_cast<uint16_t>(code)));
  }
  for (int code = 0; code < 256; ++code) {
    if ((code & 0x7f) != 0x7f)
      expectDecoded<uint8_t>(Format::e4m3, static_cast<uint8_t>(code),
                             f32FromE4m3(static_cast<uint8_t>(code)));
    if ((code & 0x7c) != 0x7c)
      expectDecoded<uint8_t>(Format::e5m2, static_cast<uint8_t>(code),
                             f32FromE5m2(static_cast<uint8_t>(code)));
    expectDecoded<uint8_t>(Format::i8, static_cast<uint8_t>(code),
                           static_cast<float>(static_cast<int8_t>(code)));
  }
}

// A block as GGUF stores it: d, then codes; those of Q4_0 with 8 added, the second half in the high
// nibbles.
std::string hexOf(uint16_t d, const int8_t *codes, bool nibbles) {
  std::vector<uint8_t> bytes = {static_cast<uint8_t>(d), static_cast<uint8_t>(d >> 8)};
  for (int i = 0; i < (nibbles ? 16 : 32); ++i)
    bytes.push_back(nibbles ? static_cast<uint8_t>((codes[i] + 8) | (codes[i + 16] + 8) << 4)
                            : static_cast<uint8_t>(codes[i]));
  std::string text;
  for (uint8_t byte : bytes)
    text += "0123456789abcdef"[byte >> 4], text += "0123456789abcdef"[byte & 15];
  return text;
}

TEST(Encode, givesTheBlocksOfGgmlsReferenceQuantiser) {
  auto text = readTextFile(LATHE_TEST_DATA "/quants/ggml_blocks.json");
  ASSERT_TRUE(text.ok()) << text.status();
  const auto golden = *parseJson(*text, "ggml_blocks.json");
  for (size_t i = 0; i < golden["values"].size(); ++i) {
    const auto values = golden["values"][i].get<std::vector<float>>();
    int8_t codes[32];
    uint16_t d = encodeQ8_0(values.data(), 32, codes);
    EXPECT_EQ(hexOf(d, codes, false), golden["q8_0"][i].get<std::string>()) << "block " << i;
    d = encodeQ4_0(values.data(), 32, codes);
    EXPECT_EQ(hexOf(d, codes, true), golden["q4_0"][i].get<std::string>()) << "block " << i;
  }
}

} // namespace
} // namespace lathe::x86
