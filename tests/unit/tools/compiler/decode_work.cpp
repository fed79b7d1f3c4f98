// What an artifact says of the work of a decoded token, against numbers by hand.
#include <gmock/gmock.h>

#include "artifact/reader.h"
#include "tests/unit/scratch_folder.h"
#include "tools/compiler/compile.h"

namespace lathe::compiler {
namespace {

artifact::Manifest compiled(const std::string &golden) {
  ScratchFolder folder;
  CompileOptions options;
  options.checkpoint = LATHE_TEST_DATA "/golden/" + golden;
  options.output = folder / "m.lathe";
  options.targets = {"x86-64-v3"};
  options.threads = 1;
  const auto report = compile(options);
  EXPECT_TRUE(report.ok()) << report.status();
  return artifact::Artifact::open(options.output)->manifest();
}

// 4 heads, a latent of 32 and 8; heads of 16 + 8 and 12; 3 of 8 experts of 24 and a shared one of
// 48 behind a dense layer of 96.
TEST(DecodeWork, ofLatentAttentionIsTwoLatentsAKeyForEachHead) {
  const artifact::Manifest manifest = compiled("v2_lite");
  ASSERT_EQ(manifest.state.size(), 2u);
  for (const artifact::StateEntry &entry : manifest.state) {
    EXPECT_EQ(entry.flops_per_key, 2u * 4 * (2 * 32 + 8));
    EXPECT_EQ(entry.window, 0u);
  }
  const uint64_t attention = 64 * 96 + 64 * 40 + 4 * (16 + 12) * 32 + 48 * 64, dense = 3 * 64 * 96,
                 experts = 8 * 64 + 3 * 3 * 64 * 24 + 3 * 64 * 48, head = 288 * 64;
  EXPECT_EQ(manifest.decode_flops, 2 * (2 * attention + dense + experts + head));
}

// 4 heads of 16 that share 2 of keys; windows of 8 in all layers but the first.
TEST(DecodeWork, ofGroupedAttentionIsAKeyAndAValueForEachHead_InItsWindow) {
  const artifact::Manifest manifest = compiled("qwen2_sliding");
  ASSERT_EQ(manifest.state.size(), 3u);
  for (const artifact::StateEntry &entry : manifest.state) {
    EXPECT_EQ(entry.flops_per_key, 2u * 4 * (16 + 16));
    EXPECT_EQ(entry.window, entry.offset == 0 ? 0u : 8u);
  }
  const uint64_t attention = 64 * (64 + 32 + 32 + 64), dense = 3 * 64 * 100, head = 288 * 64;
  EXPECT_EQ(manifest.decode_flops, 2 * (3 * (attention + dense) + head));
}

} // namespace
} // namespace lathe::compiler
