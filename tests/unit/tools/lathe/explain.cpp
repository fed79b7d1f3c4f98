#include "tools/lathe/explain.h"

#include <gmock/gmock.h>

namespace lathe::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ExplainText, putsDecisionsUnderTheirStep) {
  EXPECT_EQ(*explainText(R"([
    {"step": "decode", "pass": "choose-mla-form", "layers": "0-3", "op": "mla_attention",
     "choice": "absorbed", "why": "one row reads less", "cost": "0.3 ms",
     "alternatives": [{"choice": "materialised", "cost": "1.2 ms"}]},
    {"step": "prefill", "pass": "choose-mla-form", "layers": "0-3", "op": "mla_attention",
     "choice": "materialised"},
    {"step": "decode", "pass": "fuse-experts", "layers": "1", "op": "fused_experts",
     "choice": "fused"}])"),
            "decode\n"
            "  layers 0-3  mla_attention  absorbed (0.3 ms)  choose-mla-form\n"
            "      because one row reads less\n"
            "      instead of materialised (1.2 ms)\n"
            "  layers 1    fused_experts  fused              fuse-experts\n"
            "prefill\n"
            "  layers 0-3  mla_attention  materialised  choose-mla-form\n");
}

TEST(ExplainText, takesWhatIsThere) {
  EXPECT_EQ(*explainText(R"([{"choice": "w8a8"}])"), "all steps\n  model    w8a8\n");
  EXPECT_EQ(*explainText(R"([{"step": "decode", "choice": 7, "alternatives": 5}])"),
            "decode\n  model    7\n");
  EXPECT_EQ(*explainText("[]"), "");
  EXPECT_EQ(*explainText(""), "");
}

TEST(ExplainText, cannotSteerATerminal) {
  EXPECT_THAT(*explainText(R"([{"choice": "\u001b[31m", "why": "\u0007"}])"),
              Not(HasSubstr("\x1b")));
}

TEST(ExplainText, refusesWhatIsNoList) {
  EXPECT_EQ(explainText("{}").status().message(),
            "explain: is of type object; it should be an array");
  EXPECT_THAT(explainText("[").status().message(), HasSubstr("not valid JSON"));
}

} // namespace
} // namespace lathe::cli
