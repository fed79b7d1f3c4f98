#include "frontend/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frontend/safetensors_writer.h"
#include "tests/unit/frontend/scratch.h"

namespace lathe::frontend {
namespace {

using testing::HasSubstr;

// The error of a file with this header and `data_size` bytes of data; "" when it is fine.
std::string errorOf(const std::string &header, size_t data_size) {
  std::string text = safetensorsText(header, data_size);
  auto table = readSafetensorsTable(bytesOf(text), "f.safetensors");
  return table.ok() ? "" : std::string(table.status().message());
}

std::string errorOfBytes(const std::string &text) {
  return std::string(readSafetensorsTable(bytesOf(text), "f.safetensors").status().message());
}

std::string withLength(uint64_t length, const std::string &rest) {
  return std::string(reinterpret_cast<const char *>(&length), 8) + rest;
}

TEST(Safetensors, readsATableSortedByName) {
  std::string text = safetensorsText(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[2,10]},)"
      R"("a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},"e":{"dtype":"I64","shape":[0,3],"data_offsets":[10,10]}}  )",
      10);
  auto table = readSafetensorsTable(bytesOf(text), "f.safetensors");
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->tensors.size(), 3u);
  EXPECT_EQ(table->tensors[0].name, "a");
  EXPECT_EQ(table->tensors[0].dtype, DType::bf16);
  EXPECT_EQ(elementCount(table->tensors[0]), 1);
  EXPECT_EQ(table->tensors[1].bytes.size(), 8u);
  EXPECT_EQ(table->tensors[1].offset, text.size() - 8);
  EXPECT_EQ(table->tensors[1].bytes.data(), bytesOf(text).data() + table->tensors[1].offset);
  EXPECT_EQ(elementCount(table->tensors[2]), 0);
  EXPECT_EQ(table->metadata.at("format"), "pt");
}

TEST(Safetensors, readsAFileWithoutTensors) { EXPECT_EQ(errorOf("{}", 0), ""); }

TEST(Safetensors, refusesFilesTooShortForAHeader) {
  EXPECT_THAT(errorOfBytes(""), HasSubstr("is 0 bytes long, too short"));
  EXPECT_THAT(errorOfBytes("1234567"), HasSubstr("is 7 bytes long, too short"));
  EXPECT_THAT(errorOfBytes(withLength(0, "")), HasSubstr("does not begin with '{'"));
}

TEST(Safetensors, refusesHeadersLongerThanTheFileOrTheLimit) {
  EXPECT_THAT(errorOfBytes(withLength(3, "{}")),
              HasSubstr("says it is 3 bytes long but the file has 2"));
  EXPECT_THAT(errorOfBytes(withLength(100'000'001, "{}")), HasSubstr("more than the 100000000"));
  EXPECT_THAT(errorOfBytes(withLength(~0ull, "{}")), HasSubstr("more than the 100000000"));
}

TEST(Safetensors, refusesWhatIsNoJson) {
  EXPECT_THAT(errorOf("{\"a\":", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(errorOf("{} x", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(errorOf("{\"\xff\":{}}", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(errorOf("[]", 0), HasSubstr("does not begin with '{'"));
}

TEST(Safetensors, refusesDeepNesting) {
  std::string deep = "{\"a\":{\"shape\":" + std::string(100'000, '[');
  EXPECT_THAT(errorOf(deep, 0), HasSubstr("tensor 'a'"));
  EXPECT_THAT(errorOf("{\"a\":{\"b\":{}}}", 0), HasSubstr("unknown key 'b'"));
  EXPECT_THAT(errorOf("{\"__metadata__\":{\"b\":{}}}", 0), HasSubstr("strings to strings"));
}

struct Case {
  const char *entry; // the value of tensor "a"
  size_t data_size;
  const char *message;
};

class SafetensorsEntry : public testing::TestWithParam<Case> {};

TEST_P(SafetensorsEntry, isRefused) {
  std::string header = std::string("{\"a\":") + GetParam().entry + "}";
  EXPECT_THAT(errorOf(header, GetParam().data_size), HasSubstr(GetParam().message));
}

const Case kCases[] = {
    {R"(7)", 0, "has a number in an unexpected place"},
    {R"(null)", 0, "has null in an unexpected place"},
    {R"([])", 0, "has a list in an unexpected place"},
    {R"("x")", 0, "has a string in an unexpected place"},
    {R"({})", 0, "tensor 'a': lacks the key 'dtype'"},
    {R"({"dtype":"F32","data_offsets":[0,0]})", 0, "lacks the key 'shape'"},
    {R"({"dtype":"F32","shape":[0]})", 0, "lacks the key 'data_offsets'"},
    {R"({"dtype":"F32","shape":[0],"data_offsets":[0,0],"extra":1})", 0, "unknown key 'extra'"},
    {R"({"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]})", 0,
     "the key 'dtype' twice"},
    {R"({"dtype":"F4","shape":[2],"data_offsets":[0,1]})", 1, "dtype F4 is not yet supported"},
    {R"({"dtype":"F33","shape":[1],"data_offsets":[0,4]})", 4,
     "dtype 'F33' is none that safetensors has"},
    {R"({"dtype":4,"shape":[1],"data_offsets":[0,4]})", 4,
     "a number in an unexpected place after the key 'dtype'"},
    {R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", 4, "has -1 in an unexpected place"},
    {R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,4]})", 4, "has 1.5 in an unexpected place"},
    {R"({"dtype":"F32","shape":["1"],"data_offsets":[0,4]})", 4, "a string in an unexpected place"},
    {R"({"dtype":"F32","shape":[[1]],"data_offsets":[0,4]})", 4, "a list in an unexpected place"},
    {R"({"dtype":"F32","shape":{},"data_offsets":[0,4]})", 4, "an object in an unexpected place"},
    {R"({"dtype":"F32","shape":[1],"data_offsets":[0]})", 4, "data_offsets should be two numbers"},
    {R"({"dtype":"F32","shape":[1],"data_offsets":[0,4,4]})", 4,
     "data_offsets has more than two numbers"},
    {R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", 4,
     "data_offsets begin at 4 but end at 0"},
    {R"({"dtype":"F32","shape":[1],"data_offsets":[0,900]})", 812,
     "data_offsets end at 900 but the file holds 812 bytes of data"},
    {R"({"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]})", 4,
     "data_offsets end at 18446744073709551615"},
    {R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4,
     "span 4 bytes but F32 of shape [2] takes 8"},
    {R"({"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]})", 4,
     "more than an int64 holds"},
    {R"({"dtype":"F32","shape":[99999999999999999999999],"data_offsets":[0,4]})", 4,
     "in an unexpected place"},
    {R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0, "overflows"},
    {R"({"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]})", 0, "overflows"},
    {R"({"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]})", 0, "overflows"},
    {R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]})", 1,
     "more than 16 extents"},
    {R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})", 5,
     "the tensors end at byte 4 of the data, but the file holds 5"},
    {R"({"dtype":"U8","shape":[4],"data_offsets":[1,5]})", 5,
     "bytes 0 to 1 of the data belong to no tensor"},
};
INSTANTIATE_TEST_SUITE_P(Each, SafetensorsEntry, testing::ValuesIn(kCases));

TEST(Safetensors, refusesOverlapsHolesAndDoubles) {
  auto entry = [](const char *name, int begin, int end) {
    return std::string("\"") + name + R"(":{"dtype":"U8","shape":[)" + std::to_string(end - begin) +
           R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
  };
  auto table = [&](const std::string &a, const std::string &b) { return "{" + a + "," + b + "}"; };
  EXPECT_EQ(errorOf(table(entry("a", 4, 8), entry("b", 0, 4)), 8), "");
  EXPECT_THAT(errorOf(table(entry("a", 0, 5), entry("b", 4, 8)), 8),
              HasSubstr("tensor 'b': data begins at 4, inside tensor 'a', which ends at 5"));
  EXPECT_THAT(errorOf(table(entry("a", 0, 3), entry("b", 4, 8)), 8), HasSubstr("bytes 3 to 4"));
  EXPECT_THAT(errorOf(table(entry("a", 0, 4), entry("a", 4, 8)), 8), HasSubstr("stands twice"));
}

TEST(Safetensors, refusesOddMetadata) {
  EXPECT_THAT(errorOf(R"({"__metadata__":{"a":1}})", 0), HasSubstr("strings to strings"));
  EXPECT_THAT(errorOf(R"({"__metadata__":[]})", 0), HasSubstr("strings to strings"));
  EXPECT_THAT(errorOf(R"({"__metadata__":{"a":"","a":""}})", 0), HasSubstr("the key 'a' twice"));
  EXPECT_THAT(errorOf(R"({"__metadata__":{},"__metadata__":{}})", 0), HasSubstr("stands twice"));
}

TEST(Safetensors, cutsAndEscapesHostileNames) {
  std::string name(100'000, 'x');
  EXPECT_LT(errorOf("{\"" + name + "\":1}", 0).size(), 300u);
  EXPECT_THAT(errorOf("{\"a\\nerror: forged\":1}", 0), HasSubstr("'a\\nerror: forged'"));
}

TEST(SafetensorsFile, refusesWhatCannotBeOpened) {
  EXPECT_EQ(SafetensorsFile::open("/nowhere.safetensors").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(SafetensorsFile::open("/tmp").status().message(), HasSubstr("not a regular file"));
}

TEST(SafetensorsFile, refusesEveryTruncation) {
  ScratchFolder folder;
  std::string whole =
      safetensorsText(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(SafetensorsFile::open(folder.write("f", whole.substr(0, size))).ok()) << size;
  EXPECT_TRUE(SafetensorsFile::open(folder.write("f", whole)).ok());
}

TEST(SafetensorsFile, readsWhatTheWriterWrote) {
  ScratchFolder folder;
  const uint8_t bytes[] = {1, 2, 3, 4, 5, 6};
  ASSERT_TRUE(writeSafetensors(folder / "f",
                               {{{"b \"quoted\"", DType::u8, {2, 2}}, {bytes, 4}},
                                {{"a", DType::bf16, {}}, {bytes + 4, 2}}},
                               {{"k", "v"}})
                  .ok());
  auto file = SafetensorsFile::open(folder / "f");
  ASSERT_TRUE(file.ok()) << file.status();
  SafetensorsFile moved = *std::move(file);
  const Tensor *b = moved.find("b \"quoted\"");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->shape, (std::vector<int64_t>{2, 2}));
  EXPECT_THAT(b->bytes, testing::ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(b->offset % 8, 0u);
  EXPECT_THAT(moved.find("a")->bytes, testing::ElementsAre(5, 6));
  EXPECT_EQ(moved.find("c"), nullptr);
  EXPECT_EQ(moved.metadata().at("k"), "v");
}

TEST(SafetensorsWriter, refusesWhatDoesNotFit) {
  ScratchFolder folder;
  auto create = [&](std::vector<TensorSpec> specs) {
    return SafetensorsWriter::create(folder / "f", specs);
  };
  EXPECT_THAT(create({{"a", DType::u8, {1}}, {"a", DType::u8, {1}}}).status().message(),
              HasSubstr("written twice"));
  EXPECT_THAT(create({{"a", DType::u8, {-1}}}).status().message(), HasSubstr("negative"));
  EXPECT_THAT(create({{"a", DType::f64, {1ll << 61}}}).status().message(), HasSubstr("overflows"));
  auto writer = create({{"a", DType::u8, {2}}});
  ASSERT_TRUE(writer.ok());
  const uint8_t bytes[3] = {};
  EXPECT_THAT(writer->append(bytes).message(), HasSubstr("3 bytes of data given where 2 are left"));
  EXPECT_THAT(writer->commit().message(), HasSubstr("2 bytes of data were not given"));
  EXPECT_FALSE(std::filesystem::exists(folder / "f"));
}

} // namespace
} // namespace lathe::frontend
