// Writers that come to grief: nothing may stand under the final name, and nothing be left behind.
#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "artifact/reader.h"
#include "tests/unit/artifact/sample.h"

namespace lathe::artifact {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// As long as it lives, a file that grows beyond `bytes` meets what a full disk does: a failing
// write.
class FullDisk {
public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

private:
  void (*handler_)(int);
  rlimit before_;
};

TEST(FailedWrite, ofASectionSaysHowFarItCame) {
  ScratchFolder folder;
  absl::Status status;
  {
    FullDisk disk(5 << 20);
    auto writer = ArtifactWriter::create(folder / "a.lathe");
    ASSERT_TRUE(writer.ok());
    ASSERT_EQ(writer->beginSection("weights.0"), absl::OkStatus());
    std::string bytes(4096, 'x');
    while ((status = writer->write(bytes.data(), bytes.size())).ok()) {
    }
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(
      status.message(),
      HasSubstr("a.lathe: cannot write: File too large, 6287360 bytes into section 'weights.0'"));
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST(FailedWrite, atAnyPlaceLeavesNothing) {
  ScratchFolder folder;
  ASSERT_EQ(writeSample(folder / "whole.lathe"), absl::OkStatus());
  size_t whole = std::filesystem::file_size(folder / "whole.lathe");
  for (size_t size = 0; size < whole; size += 61) {
    absl::Status status;
    {
      FullDisk disk(size);
      status = writeSample(folder / "a.lathe");
    }
    ASSERT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << size << ": " << status;
    ASSERT_THAT(folder.names(), testing::ElementsAre("whole.lathe")) << size;
  }
}

TEST(FailedWrite, keepsTheFileThatStoodThere) {
  ScratchFolder folder;
  ASSERT_EQ(writeSample(folder / "a.lathe"), absl::OkStatus());
  {
    FullDisk disk(5000);
    EXPECT_FALSE(writeSample(folder / "a.lathe").ok());
  }
  EXPECT_TRUE(Artifact::open(folder / "a.lathe").ok());
}

TEST(FailedWrite, intoNowhereNamesThePath) {
  EXPECT_THAT(writeSample("/nowhere/a.lathe").message(),
              HasSubstr("/nowhere/a.lathe.partial: cannot create"));
  ScratchFolder folder;
  std::filesystem::create_directory(folder / "a.lathe");
  EXPECT_THAT(writeSample(folder / "a.lathe").message(),
              HasSubstr("cannot rename the finished file"));
  EXPECT_THAT(folder.names(), testing::ElementsAre("a.lathe"));
}

TEST(WriterThatDies, leavesNothing) {
  ScratchFolder folder;
  {
    auto writer = ArtifactWriter::create(folder / "a.lathe");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->addSection("code", "x").ok());
  }
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST(WriterThatIsKilled, leavesNothingUnderTheFinalNameAndIsNoHindrance) {
  ScratchFolder folder;
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto writer = ArtifactWriter::create(folder / "a.lathe");
    if (writer.ok() && writeSections(*writer).ok())
      raise(SIGKILL);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.lathe"));
  EXPECT_EQ(writeSample(folder / "a.lathe"), absl::OkStatus());
  EXPECT_THAT(folder.names(), testing::ElementsAre("a.lathe"));
}

} // namespace
} // namespace lathe::artifact
