// Weights are packed through a window: a table of 1.2 GB goes through some hundred MB of memory.
#include "tests/unit/private_memory.h"
#include "tests/unit/tools/compiler/compiling.h"

namespace lathe::compiler {
namespace {

TEST(Memory, ofACompileDoesNotGrowWithTheWeights) {
  models::TinyCheckpoint tiny(models::tinyLlama(), {{"vocab_size", 150000},
                                                    {"hidden_size", 2048},
                                                    {"num_hidden_layers", 1},
                                                    {"max_position_embeddings", 16}});
  ASSERT_TRUE(tiny.openSparse().ok());
  ScratchFolder folder;
  CompileOptions options = optionsFor(tiny, folder / "m.lathe");
  int64_t most = 0;
  options.progress = [&](absl::string_view, uint64_t, uint64_t) {
    most = std::max(most, privateKilobytes());
  };
  const auto report = compile(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GT(report->packed_bytes, 1'200'000'000u);
  EXPECT_GT(most, 0);
  EXPECT_LT(most, 500 * 1024);
}

} // namespace
} // namespace lathe::compiler
