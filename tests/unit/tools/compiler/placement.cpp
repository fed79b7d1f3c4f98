// Placing a model on a plugin that takes what it will not compile, or lies about its code.
#include <gmock/gmock.h>

#include "tests/unit/scratch_folder.h"
#include "tools/compiler/compile.h"

namespace lathe::compiler {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Placement : public testing::Test {
protected:
  // Keeps what was noted in `notes_`.
  absl::StatusOr<CompileReport> compileWith(const std::string &lie) {
    options_.plugins.clear(); // one that is in use keeps its lie
    auto plugin = runtime::Plugin::load(LATHE_LYING_PLUGIN, {.options = {{"lie", lie}}});
    EXPECT_TRUE(plugin.ok()) << plugin.status();
    options_.checkpoint = LATHE_TEST_DATA "/golden/llama_f32";
    options_.output = folder_ / "m.lathe";
    options_.targets = {"x86-64-v3", "liar:chip"};
    options_.plugins = {*plugin};
    options_.threads = 1;
    options_.note = [&](absl::string_view text) { absl::StrAppend(&notes_, text, "\n"); };
    return compile(options_);
  }

  std::string errorOf(const std::string &lie) {
    return std::string(compileWith(lie).status().message());
  }

  ScratchFolder folder_;
  CompileOptions options_;
  std::string notes_;
};

TEST_F(Placement, saysWhatIsRoundedWhereTheTargetSaysIt) {
  auto report = compileWith("");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->targets, ElementsAre("x86-64-v3", "x86-64-v3+liar:chip"));
  EXPECT_THAT(report->explain_json, HasSubstr("converted to e5m2: rounded to one bit"));
}

TEST_F(Placement, doesWithoutATargetThatRefusesInTheEnd) {
  auto report = compileWith("refuses");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->targets, ElementsAre("x86-64-v3"));
  EXPECT_THAT(notes_, HasSubstr("liar:chip: too many of them; the model is placed without it"));
}

TEST_F(Placement, failsWhereTheUserInsistsOnTheTarget) {
  options_.place = "linear=liar:chip";
  EXPECT_EQ(errorOf("refuses"), "liar:chip: too many of them");
  options_.place.clear();
  options_.strict = true;
  options_.place = "linear=liar:chip,*=x86";
  EXPECT_EQ(errorOf("refuses"), "liar:chip: too many of them");
}

TEST_F(Placement, isStrictWhenAsked) {
  options_.strict = true;
  EXPECT_THAT(errorOf(""),
              AllOf(HasSubstr("--strict: no other target takes these ops, which would run on x86:"),
                    HasSubstr("\n  rms_norm ("),
                    HasSubstr("): liar:chip: unsupported_op: rounded to one bit"),
                    HasSubstr("--place 'OP=x86'")));
  options_.place = "linear=liar:chip,*=x86";
  auto report = compileWith("");
  EXPECT_TRUE(report.ok()) << report.status();
}

// The answers are those about the ops on tiles that an op becomes; the codes of an FP8 model have
// no instruction, as rope has no form.
TEST_F(Placement, asksATargetThatTakesTilesAboutWhatOpsBecome) {
  auto plugin = runtime::Plugin::load(LATHE_TILES_PLUGIN);
  ASSERT_TRUE(plugin.ok()) << plugin.status();
  options_.checkpoint = LATHE_TEST_DATA "/golden/v3_fp8_block";
  options_.output = folder_ / "m.lathe";
  options_.targets = {"x86-64-v3", "tiles:tiles"};
  options_.plugins = {*plugin};
  options_.threads = 1;
  options_.strict = true;
  EXPECT_THAT(std::string(compile(options_).status().message()),
              AllOf(HasSubstr("tiles:tiles: unsupported_op: it has no form in tiles"),
                    HasSubstr("tiles:tiles: unsupported_type: tiles are f32, weights f32 or bf16"),
                    testing::Not(HasSubstr("\n  add ("))));
}

TEST_F(Placement, wantsAnotherTargetToBeStrictAbout) {
  options_.checkpoint = LATHE_TEST_DATA "/golden/llama_f32";
  options_.output = folder_ / "m.lathe";
  options_.targets = {"x86-64-v3"};
  options_.strict = true;
  EXPECT_THAT(compile(options_).status().message(),
              HasSubstr("--strict: there is one target only"));
}

TEST_F(Placement, believesNoCode) {
  const std::pair<const char *, const char *> lies[] = {
      {"supports", "liar:chip: asked about lathe.rope_table: what is that?"},
      {"fails", "liar:chip: lost the thread"},
      {"nothing", "liar:chip: its code is none, though it reports success"},
      {"compiled_size", "has a lathe_compiled of 24 bytes, which lacks fields of abi 1.0"},
      {"no_compatibility", "its code has no compatibility string"},
      {"no_code", "its code has 4 bytes"},
      {"code_size", "its code has 18446744073709551615 bytes"},
      {"state_bytes", "its code wants 18446744073709551615 bytes of state"},
      {"no_entry", "its code has no entry '"},
      {"null_entry", "its code has an entry 0 that is none"},
      {"scratch_bytes", "its code has an entry 0 that is none"},
      {"no_pack", "its code has 1 packed weights and no way to get them"},
      {"weight_count", "its code has 18446744073709551615 packed weights and no way to get them"},
      {"null_weight", "its code has a packed weight of no constant"},
      {"constant", "its code has a packed weight of no constant"},
      {"alignment", "of 64 bytes aligned to 48"},
      {"weight_size", "of 18446744073709551615 bytes aligned to 64"},
      {"pack",
       "liar:chip: packing 'model.layers.0.self_attn.o_proj.weight': the weight is damaged"},
  };
  for (auto [lie, message] : lies) {
    EXPECT_THAT(errorOf(lie), HasSubstr(message)) << lie;
    EXPECT_FALSE(std::filesystem::exists(options_.output)) << lie << ": left a file behind";
  }
}

TEST_F(Placement, refusesATargetThatTakesNothingThatIsKnown) {
  EXPECT_EQ(errorOf("takes"), "target 'liar:chip' takes neither ops nor partitions nor tiles: the "
                              "bits of its lathe_target.takes are 2147483648");
}

TEST_F(Placement, takesNoMoreOfATextThanThereIsRoomFor) {
  auto report = compileWith("text_size");
  EXPECT_TRUE(report.ok()) << report.status();
}

} // namespace
} // namespace lathe::compiler
