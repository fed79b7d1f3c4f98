// Equal layers share code: a model of 61 layers costs a longer table and hardly more time.
#include <algorithm>
#include <ctime>

#include "artifact/reader.h"
#include "tests/unit/tools/compiler/compiling.h"

namespace lathe::compiler {
namespace {

struct Cost {
  double seconds; // of processor time: what else runs here does not matter
  uint64_t code_bytes;
};

// DeepSeek-V3's shape in small: three dense layers, then experts.
Cost costOf(int64_t layers) {
  models::TinyCheckpoint tiny(models::tinyDeepseekV3(),
                              {{"num_hidden_layers", layers}, {"first_k_dense_replace", 3}});
  EXPECT_TRUE(tiny.open().ok());
  ScratchFolder folder;
  const CompileOptions options = optionsFor(tiny, folder / "m.lathe");
  const std::clock_t start = std::clock();
  const auto report = compile(options);
  EXPECT_TRUE(report.ok()) << report.status();
  const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
  return {seconds, artifact::Artifact::open(options.output)->section("code.x86-64-v3")->size()};
}

TEST(Depth, costsHardlyAnyCodeOrTime) {
  costOf(4); // what happens once in a process
  Cost shallow = costOf(4), deep = costOf(61);
  // A busy neighbour slows a processor by a fifth; the least of three does not know of it.
  for (int more = 0; more < 2 && deep.seconds > 1.3 * shallow.seconds; ++more) {
    shallow.seconds = std::min(shallow.seconds, costOf(4).seconds);
    deep.seconds = std::min(deep.seconds, costOf(61).seconds);
  }
  EXPECT_LE(deep.seconds, 1.3 * shallow.seconds);
  EXPECT_LE(deep.code_bytes, shallow.code_bytes + 57 * 8192);
}

} // namespace
} // namespace lathe::compiler
