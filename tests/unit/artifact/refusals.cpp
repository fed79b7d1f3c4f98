// Every field that a manifest is refused for: what the error says, and that the neighbour is fine.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "artifact/validate.h"
#include "tests/unit/artifact/sample.h"

namespace lathe::artifact {
namespace {

using testing::HasSubstr;

constexpr uint64_t kSectionsEnd = 20480;

struct Case {
  const char *name;
  void (*edit)(Manifest &);
  const char *message; // empty: it is fine
};

class ManifestField : public testing::TestWithParam<Case> {};

TEST_P(ManifestField, isJudged) {
  Manifest manifest = sampleManifest();
  GetParam().edit(manifest);
  absl::Status status = validateManifest(manifest, kSectionsEnd);
  if (*GetParam().message == '\0')
    EXPECT_EQ(status, absl::OkStatus());
  else
    EXPECT_THAT(status.message(), HasSubstr(GetParam().message));
}

const Case kCases[] = {
    {"nothing", [](Manifest &) {}, ""},
    {"long_producer", [](Manifest &m) { m.producer.assign(513, 'x'); },
     "producer has 513 bytes; at most 512"},
    {"control_in_family", [](Manifest &m) { m.family = "a\x1b[2Jb"; },
     "family holds a control character"},
    {"model_not_utf8", [](Manifest &m) { m.model = "Z\xfcrich"; }, "model is not UTF-8"},
    {"surrogate_in_model", [](Manifest &m) { m.model = "\xed\xa0\x80"; }, "model is not UTF-8"},
    {"model_cut_inside_of_a_character", [](Manifest &m) { m.model = "Z\xc3"; },
     "model is not UTF-8"},
    {"delete_in_activations", [](Manifest &m) { m.activations = "\x7f"; },
     "activations holds a control"},
    {"zero_in_activations", [](Manifest &m) { m.activations = std::string(1, '\0'); },
     "activations holds a control"},
    {"explain_of_many_lines", [](Manifest &m) { m.explain = std::string(1000, '\n'); }, ""},
    {"explain_not_utf8", [](Manifest &m) { m.explain = "\xff"; }, "explain is not UTF-8"},

    {"no_vocabulary", [](Manifest &m) { m.vocab_size = 0; },
     "vocab_size is 0; it must be from 1 to 16777216"},
    {"huge_vocabulary", [](Manifest &m) { m.vocab_size = (1 << 24) + 1; },
     "vocab_size is 16777217"},
    {"no_hidden_size", [](Manifest &m) { m.hidden_size = 0; }, "hidden_size is 0"},
    {"huge_hidden_size", [](Manifest &m) { m.hidden_size = ~0u; }, "hidden_size is 4294967295"},
    {"no_layers", [](Manifest &m) { m.num_layers = 0; }, "num_layers is 0"},
    {"many_layers", [](Manifest &m) { m.num_layers = (1 << 20) + 1; }, "num_layers is 1048577"},
    {"no_context", [](Manifest &m) { m.max_context = 0; }, "max_context is 0"},
    {"context_beyond_positions", [](Manifest &m) { m.max_context = 1u << 31; },
     "max_context is 2147483648"},
    {"no_slots", [](Manifest &m) { m.num_slots = 0; }, "num_slots is 0"},

    {"no_bos", [](Manifest &m) { m.bos_token_id = -1; }, ""},
    {"negative_bos", [](Manifest &m) { m.bos_token_id = -2; }, "bos_token_id is -2"},
    {"bos_behind_the_vocabulary", [](Manifest &m) { m.bos_token_id = 100; },
     "below vocab_size 100"},
    {"negative_eos", [](Manifest &m) { m.eos_token_ids = {-1}; },
     "eos_token_ids hold -1; they must be from 0 to 99"},
    {"eos_behind_the_vocabulary",
     [](Manifest &m) {
       m.eos_token_ids = {2, 100};
     },
     "eos_token_ids hold 100"},
    {"many_eos", [](Manifest &m) { m.eos_token_ids.assign(1025, 2); },
     "there are 1025 eos_token_ids; at most 1024"},

    {"temperature_unsaid", [](Manifest &m) { m.temperature = NAN; }, ""},
    {"negative_temperature", [](Manifest &m) { m.temperature = -1; }, "temperature is -1"},
    {"infinite_temperature", [](Manifest &m) { m.temperature = INFINITY; }, "temperature is inf"},
    {"top_p_unsaid", [](Manifest &m) { m.top_p = NAN; }, ""},
    {"top_p_above_one", [](Manifest &m) { m.top_p = 1.5; },
     "top_p is 1.5; it must be NaN or from 0 to 1"},
    {"negative_top_p", [](Manifest &m) { m.top_p = -0.5; }, "top_p is -0.5"},
    {"negative_top_k", [](Manifest &m) { m.top_k = -1; }, "top_k is -1"},

    {"nameless_section", [](Manifest &m) { m.sections[2].name = ""; }, "a section's name is empty"},
    {"section_named_twice", [](Manifest &m) { m.sections[2].name = "weights.0"; },
     "section 'weights.0' stands twice"},
    {"section_over_the_header", [](Manifest &m) { m.sections[0].offset = 0; },
     "section 'code.v3' begins at 0; it must begin at a multiple of 4096"},
    {"section_not_aligned", [](Manifest &m) { m.sections[0].offset = 4097; }, "begins at 4097"},
    {"section_behind_the_end", [](Manifest &m) { m.sections[2].offset = 24576; },
     "it must end by 20480"},
    {"section_over_the_end", [](Manifest &m) { m.sections[2].size = 4097; },
     "has 4097 bytes from 16384 on; it must end by 20480"},
    {"section_up_to_the_end", [](Manifest &m) { m.sections[2].size = 4096; }, ""},
    {"section_whose_end_overflows", [](Manifest &m) { m.sections[2].size = ~0ull - 4095; },
     "it must end by 20480"},
    {"sections_overlap", [](Manifest &m) { m.sections[0].size = 4097; },
     "section 'code.v3' ends at 8193 but section 'weights.0' begins at 8192"},
    {"sections_at_one_place", [](Manifest &m) { m.sections[0].offset = 8192; },
     "but section 'weights.0' begins at 8192"},
    {"empty_section_at_the_place_of_another", [](Manifest &m) { m.sections[2].offset = 8192; }, ""},
    {"many_sections", [](Manifest &m) { m.sections.resize(65537); }, "there are 65537 sections"},

    {"nameless_state", [](Manifest &m) { m.state[0].name = ""; }, "a state entry's name is empty"},
    {"state_named_twice", [](Manifest &m) { m.state[1].name = "layers.0.latent"; },
     "state entry 'layers.0.latent' stands twice"},
    {"state_type_with_a_line", [](Manifest &m) { m.state[0].type = "\n"; },
     "a state entry's type holds a control"},
    {"state_end_overflows", [](Manifest &m) { m.state[1].offset = ~0ull; },
     "state entry 'layers.1.latent' has 128 bytes from"},
    {"state_of_an_exabyte", [](Manifest &m) { m.state[1].bytes = 1ull << 60; },
     "it must end by 281474976710656"},
    {"state_overlaps", [](Manifest &m) { m.state[1].offset = 64; },
     "state entry 'layers.0.latent' ends at 128 but state entry 'layers.1.latent' begins at 64"},
    {"state_token_larger_than_the_whole", [](Manifest &m) { m.state[0].bytes_per_token = 129; },
     "takes 129 bytes a token but has 128"},
};
INSTANTIATE_TEST_SUITE_P(Each, ManifestField, testing::ValuesIn(kCases),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
} // namespace lathe::artifact
