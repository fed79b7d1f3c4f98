#include "base/file.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/scratch_folder.h"

namespace lathe {
namespace {

using testing::HasSubstr;

TEST(MappedFile, refusesWhatIsNoFile) {
  ScratchFolder folder;
  EXPECT_EQ(MappedFile::open(folder / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(MappedFile::open(folder.path()).status().message(), HasSubstr("not a regular file"));
  EXPECT_THAT(MappedFile::open("/dev/zero").status().message(), HasSubstr("not a regular file"));
}

TEST(MappedFile, doesNotWaitForTheWriterOfAPipe) {
  ScratchFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(MappedFile::open(folder / "pipe").status().message(),
              HasSubstr("not a regular file"));
}

TEST(MappedFile, readsEmptyFilesAndMoves) {
  ScratchFolder folder;
  auto empty = MappedFile::open(folder.write("empty", ""));
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(empty->bytes().empty());
  empty->release(0, 4096);
  auto file = MappedFile::open(folder.write("file", "text"));
  ASSERT_TRUE(file.ok());
  *empty = *std::move(file);
  EXPECT_EQ(empty->text(), "text");
  empty->release(0, ~0ull);
  EXPECT_EQ(empty->text(), "text");
}

TEST(ReadTextFile, refusesFilesOverItsLimit) {
  ScratchFolder folder;
  std::string path = folder.write("a", "12345");
  EXPECT_EQ(*readTextFile(path, 5), "12345");
  EXPECT_THAT(readTextFile(path, 4).status().message(), HasSubstr("is 5 bytes, more than the 4"));
}

TEST(FileWriter, givesTheFileItsNameInCommit) {
  ScratchFolder folder;
  auto writer = FileWriter::create(folder / "a");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->write("abc", 3).ok());
  ASSERT_TRUE(writer->padTo(8).ok());
  ASSERT_TRUE(writer->writeAt(1, "X", 1).ok());
  EXPECT_EQ(writer->position(), 8u);
  EXPECT_FALSE(fileExists(folder / "a"));
  ASSERT_TRUE(writer->commit().ok());
  EXPECT_EQ(folder.read("a"), std::string("aXc\0\0\0\0\0", 8));
  EXPECT_THAT(folder.names(), testing::ElementsAre("a"));
}

TEST(FileWriter, saysThatTheDiskIsFull) {
  ScratchFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "a.partial");
  auto writer = FileWriter::create(folder / "a");
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE(writer->write("abc", 3).ok()); // it waits for more
  EXPECT_EQ(writer->commit().code(), absl::StatusCode::kResourceExhausted);
  std::string much(3 << 20, 'x');
  EXPECT_EQ(writer->write(much.data(), much.size()).code(), absl::StatusCode::kResourceExhausted);
}

TEST(FileWriter, keepsBytesInTheirOrderOverLargePages) {
  ScratchFolder folder;
  auto writer = FileWriter::create(folder / "a");
  ASSERT_TRUE(writer.ok());
  std::string expected;
  for (size_t size : {1u, 5000u, 2097152u, 3u, 5000000u, 4096u}) {
    std::string part(size, static_cast<char>('a' + expected.size() % 26));
    ASSERT_TRUE(writer->write(part.data(), part.size()).ok());
    expected += part;
    EXPECT_EQ(writer->position(), expected.size());
    auto written = writer->written();
    ASSERT_TRUE(written.ok()) << written.status();
    EXPECT_TRUE(written->text() == expected);
  }
  ASSERT_TRUE(writer->commit().ok());
  EXPECT_TRUE(folder.read("a") == expected);
}

} // namespace
} // namespace lathe
