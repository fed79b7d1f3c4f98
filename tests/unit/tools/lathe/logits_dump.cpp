#include "tools/lathe/logits_dump.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "frontend/safetensors.h"

namespace lathe::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct LogitsDumpTest : testing::Test {
  LogitsDumpTest() { std::filesystem::create_directories(folder); }
  ~LogitsDumpTest() override { std::filesystem::remove_all(folder); }

  std::string folder = testing::TempDir() + "logits_dump";
  std::string path = folder + "/out.safetensors";
};

template <typename T> std::vector<T> valuesOf(const frontend::Tensor &tensor) {
  const T *first = reinterpret_cast<const T *>(tensor.bytes.data());
  return {first, first + tensor.bytes.size() / sizeof(T)};
}

TEST_F(LogitsDumpTest, holdsARowForEachToken) {
  auto dump = LogitsDump::create(path, 3);
  ASSERT_TRUE(dump.ok());
  std::vector<float> first = {1, 2, 3}, second = {4, 5, 6};
  EXPECT_TRUE(dump->addRow(first).ok());
  EXPECT_TRUE(dump->addRow(second).ok());
  ASSERT_TRUE(dump->finish(std::vector<int32_t>{7, 8}).ok());
  auto file = frontend::SafetensorsFile::open(path);
  ASSERT_TRUE(file.ok());
  const frontend::Tensor *ids = file->find("input_ids"), *logits = file->find("logits");
  EXPECT_EQ(ids->dtype, frontend::DType::i64);
  EXPECT_THAT(valuesOf<int64_t>(*ids), ElementsAre(7, 8));
  EXPECT_THAT(logits->shape, ElementsAre(2, 3));
  EXPECT_THAT(valuesOf<float>(*logits), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(LogitsDumpTest, leavesNothingWithoutAnEnd) {
  {
    auto dump = LogitsDump::create(path, 1);
    ASSERT_TRUE(dump.ok());
    EXPECT_TRUE(dump->addRow(std::vector<float>{1}).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(LogitsDumpTest, leavesOnlyTheFileInTheEnd) {
  {
    auto dump = LogitsDump::create(path, 1);
    ASSERT_TRUE(dump.ok());
    EXPECT_TRUE(dump->addRow(std::vector<float>{1}).ok());
    EXPECT_TRUE(dump->finish(std::vector<int32_t>{5}).ok());
  }
  auto entries = std::filesystem::directory_iterator(folder);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(LogitsDumpTest, refusesAFolderThatIsNotThere) {
  EXPECT_THAT(LogitsDump::create(folder + "/absent/out", 1).status().message(),
              HasSubstr("absent/out"));
}

} // namespace
} // namespace lathe::cli
