#include "runtime/module/module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_model.h"

namespace lathe::runtime {
namespace {

using testing::HasSubstr;

std::shared_ptr<Device> plainMachine() {
  CpuOptions options;
  options.threads = 1;
  options.features = CpuFeatures("x86_64", {});
  return *createCpuDevice(options);
}

absl::Status loadStatus(const std::string &path, const ModuleOptions &options = {}) {
  return Module::load(path, plainMachine(), options).status();
}

TEST(LoadModule, keepsWeightsInTheMappingOfTheFile) {
  ScratchFolder folder;
  auto module = Module::load(writeFake(folder), plainMachine());
  ASSERT_TRUE(module.ok()) << module.status();
  EXPECT_EQ((*module)->target().name, "x86-64");
  EXPECT_NE((*module)->findStep("decode"), nullptr);
  EXPECT_EQ((*module)->findStep("train"), nullptr);
  EXPECT_EQ(*(*module)->text("tokenizer.json"), "{}");
  EXPECT_EQ((*module)->text("chat_template.jinja").status().code(), absl::StatusCode::kNotFound);
  EXPECT_GT((*module)->loadSeconds(), 0);
  EXPECT_EQ((*module)->weights().size(), 4u * kFakeVocab);
}

TEST(LoadModule, saysWhatEachTargetLacks) {
  ScratchFolder folder;
  artifact::Manifest manifest = fakeManifest();
  manifest.targets.push_back(manifest.targets[0]);
  manifest.targets[0].name = "x86-64-v3",
  manifest.targets[0].compatibility = "arch=x86_64;features=avx2";
  manifest.targets[1].name = "arm", manifest.targets[1].compatibility = "arch=aarch64";
  absl::Status status = loadStatus(writeFake(folder, manifest));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("fake.lathe: no target of it runs on "));
  EXPECT_THAT(status.message(),
              HasSubstr("target 'x86-64-v3': needs avx2, which this CPU (x86-64) lacks; "
                        "target 'arm': is for aarch64, this CPU is x86_64; "
                        "compile the model again with --target x86-64"));
  manifest.targets.clear();
  EXPECT_THAT(loadStatus(writeFake(folder, manifest)).message(), HasSubstr("it holds no code"));
}

TEST(LoadModule, refusesATargetThatWasAskedForAndDoesNotRun) {
  ScratchFolder folder;
  artifact::Manifest manifest = fakeManifest();
  manifest.targets[0].compatibility = "arch=x86_64;features=avx2";
  std::string path = writeFake(folder, manifest);
  EXPECT_THAT(loadStatus(path, {"x86-64"}).message(),
              HasSubstr("target 'x86-64': executable: needs avx2"));
  EXPECT_THAT(loadStatus(path, {"arm"}).message(), HasSubstr("has no target 'arm'; it has x86-64"));
}

TEST(LoadModule, refusesCodeThatIsWrongWithTheFileAndTheTarget) {
  ScratchFolder folder;
  EXPECT_THAT(loadStatus(writeFake(folder, fakeManifest(), "no code")).message(),
              HasSubstr("fake.lathe: target 'x86-64': executable: has 7 bytes"));
  EXPECT_THAT(loadStatus(writeFake(folder, fakeManifest(), fakeCode("fake_version"))).message(),
              HasSubstr("fake.lathe: target 'x86-64': executable: has version 2"));
}

TEST(LoadModule, refusesDamagedCodeBeforeItIsLoaded) {
  ScratchFolder folder;
  std::string path = writeFake(folder);
  std::string whole = folder.read("fake.lathe");
  for (const char *section : {"code.v0", "tokenizer.json"}) {
    std::string bytes = whole;
    bytes[artifact::Artifact::open(path)->findSection(section)->offset + 1] ^= 0x40;
    absl::Status status = loadStatus(folder.write("damaged.lathe", bytes));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr(std::string("section '") + section));
  }
}

TEST(LoadModule, refusesWhatIsNotThere) {
  EXPECT_EQ(loadStatus("/nowhere/a.lathe").code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(loadStatus("/tmp").message(), HasSubstr("not a regular file"));
}

TEST(CreateSession, refusesStepsThatThisRuntimeCannotWalk) {
  struct {
    void (*edit)(artifact::Target &);
    const char *message;
  } cases[] = {
      {[](artifact::Target &t) { t.steps[0].name = "x", t.steps[1].name = "y"; },
       "has neither a decode nor a prefill step"},
      {[](artifact::Target &t) { t.steps[1].calls[0].entry = "train"; },
       "entry 'train': executable: has no entry 'train'"},
      {[](artifact::Target &t) { t.steps[1].calls[0].buffers.pop_back(); },
       "takes 7 buffers; this runtime gives 8"},
      {[](artifact::Target &t) { t.steps[1].calls[0].buffers[3] = 4; },
       "its buffer 3 is of kind 4; it must be of kind 3"},
      {[](artifact::Target &t) { t.steps[1].buffers[5].bytes = 1ull << 48; },
       "no memory for a buffer of 281474976710656 bytes"},
  };
  for (auto c : cases) {
    ScratchFolder folder;
    artifact::Manifest manifest = fakeManifest();
    c.edit(manifest.targets[0]);
    auto module = Module::load(writeFake(folder, manifest), plainMachine());
    ASSERT_TRUE(module.ok()) << module.status();
    EXPECT_THAT(Session::create(*module).status().message(), HasSubstr(c.message));
  }
}

} // namespace
} // namespace lathe::runtime
