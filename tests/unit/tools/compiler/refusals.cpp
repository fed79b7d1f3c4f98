// What a compile refuses, and that it leaves nothing behind then.
#include <csignal>
#include <filesystem>
#include <sys/resource.h>

#include "tests/unit/tools/compiler/compiling.h"

namespace lathe::compiler {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Refusal : public testing::Test {
protected:
  Refusal() { EXPECT_TRUE(tiny.open().ok()); }

  absl::Status compileWith(const std::function<void(CompileOptions &)> &change) {
    CompileOptions options = optionsFor(tiny, folder / "m.lathe");
    change(options);
    return compile(options).status();
  }

  models::TinyCheckpoint tiny{models::tinyLlama(), {{"vocab_size", 9000}}};
  ScratchFolder folder;
};

TEST_F(Refusal, ofActivationsSaysWhichThereAre) {
  const absl::Status status =
      compileWith([](CompileOptions &options) { options.activations = "int3"; });
  EXPECT_THAT(status.message(),
              HasSubstr("activations 'int3' are not known; the known ones are f32, bf16, w8a8"));
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST_F(Refusal, ofACacheSaysWhichThereAre) {
  const absl::Status status = compileWith([](CompileOptions &options) { options.cache = "f16"; });
  EXPECT_THAT(status.message(),
              HasSubstr("cache 'f16' is not known; the known ones are f32, bf16"));
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST_F(Refusal, ofAPluginsTargetSaysThatThereIsNoPlugin) {
  const absl::Status status =
      compileWith([](CompileOptions &options) { options.targets = {"npu:big"}; });
  EXPECT_THAT(status.message(), HasSubstr("target 'npu:big' is not known; those of plugins are "
                                          "none, for no plugin brings one (--plugin)"));
}

TEST_F(Refusal, ofPlacesWithoutASecondTargetSaysSo) {
  const absl::Status status =
      compileWith([](CompileOptions &options) { options.place = "linear=npu:big"; });
  EXPECT_THAT(status.message(), HasSubstr("there is one target only; --target names others"));
}

TEST_F(Refusal, ofAnExistingFileComesBeforeAnyWork) {
  folder.write("m.lathe", "mine");
  const absl::Status status =
      compileWith([](CompileOptions &options) { options.checkpoint = "nowhere"; });
  EXPECT_THAT(status.message(), HasSubstr("m.lathe: is there already; --force replaces it"));
}

TEST_F(Refusal, ofACheckpointThatIsNotThereNamesIt) {
  const absl::Status status =
      compileWith([](CompileOptions &options) { options.checkpoint = "/nowhere/model"; });
  EXPECT_THAT(status.message(), HasSubstr("/nowhere/model"));
}

TEST_F(Refusal, ofAContextBeyondTheModelsGivesBothNumbers) {
  const absl::Status status =
      compileWith([](CompileOptions &options) { options.max_context = 65; });
  EXPECT_THAT(status.message(), testing::AllOf(HasSubstr("65"), HasSubstr("64")));
}

TEST_F(Refusal, ofAWeightThatIsNotFiniteNamesItAndItsPlace) {
  models::TinyCheckpoint spoilt(models::tinyLlama());
  spoilt.tensors["model.layers.1.mlp.up_proj.weight"].bytes.assign(2 * 20 * 16,
                                                                   '\xff'); // NaN in bf16
  ASSERT_TRUE(spoilt.open().ok());
  const absl::Status status =
      compileWith([&](CompileOptions &options) { options.checkpoint = spoilt.path(); });
  EXPECT_THAT(status.message(), HasSubstr("model.layers.1.mlp.up_proj.weight"));
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST_F(Refusal, leavesNothingOfACancelledCompile) {
  for (const char *stage : {"importing", "optimising", "generating code", "packing weights"}) {
    std::atomic<bool> cancelled{false};
    const absl::Status status = compileWith([&](CompileOptions &options) {
      options.cancelled = &cancelled;
      options.progress = [&, stage](absl::string_view now, uint64_t, uint64_t) {
        cancelled = cancelled || now == stage;
      };
    });
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << stage << ": " << status;
    EXPECT_THAT(folder.names(), IsEmpty()) << stage;
  }
}

TEST_F(Refusal, leavesNothingOnAFullDisk) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {300'000,
                        before.rlim_max}; // room for objects while linking, not for the file
  setrlimit(RLIMIT_FSIZE, &small);
  const absl::Status status = compileWith([](CompileOptions &) {});
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST(FolderName, ofAnyBytesIsNoReasonToFail) {
  models::TinyCheckpoint tiny{models::tinyLlama()};
  ASSERT_TRUE(tiny.open().ok());
  ScratchFolder folder;
  CompileOptions options = optionsFor(tiny, folder / "m.lathe");
  options.checkpoint = folder / "odd\xff\nname";
  std::filesystem::create_directory_symlink(tiny.path(), options.checkpoint);
  const auto report = compile(options);
  EXPECT_TRUE(report.ok()) << report.status();
}

} // namespace
} // namespace lathe::compiler
