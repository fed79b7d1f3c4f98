// Import copies no weight: a model of 15.7 billion parameters, in a file of holes.
#include "tests/unit/models/importing.h"
#include "tests/unit/private_memory.h"

namespace lathe::models {
namespace {

using Json = nlohmann::ordered_json;

// DeepSeek-V2-Lite.
Json v2Lite() {
  Json config = tinyDeepseekV2();
  config.update({{"vocab_size", 102400},
                 {"hidden_size", 2048},
                 {"num_hidden_layers", 27},
                 {"num_attention_heads", 16},
                 {"num_key_value_heads", 16},
                 {"kv_lora_rank", 512},
                 {"qk_nope_head_dim", 128},
                 {"qk_rope_head_dim", 64},
                 {"v_head_dim", 128},
                 {"intermediate_size", 10944},
                 {"moe_intermediate_size", 1408},
                 {"n_routed_experts", 64},
                 {"num_experts_per_tok", 6},
                 {"n_shared_experts", 2},
                 {"n_group", 1},
                 {"max_position_embeddings", 163840}});
  return config;
}

TEST(ImportOfALargeModel, takesLittleMemory) {
  TinyCheckpoint tiny(v2Lite());
  const int64_t before = privateKilobytes();
  ASSERT_GT(before, 0);
  const auto checkpoint = tiny.openSparse();
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_GT(checkpoint->totalBytes(), 31'000'000'000u);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  const auto imported = importWithFindings(context, *checkpoint, {.hash = false});
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->parameters, 15'706'484'224);
  EXPECT_LT(privateKilobytes() - before, 300 * 1024);
}

} // namespace
} // namespace lathe::models
