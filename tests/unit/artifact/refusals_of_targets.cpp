// What a target of a manifest is refused for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "artifact/validate.h"
#include "tests/unit/artifact/sample.h"

namespace lathe::artifact {
namespace {

using testing::HasSubstr;

struct Case {
  const char *name;
  void (*edit)(Target &);
  const char *message; // empty: it is fine
};

class TargetField : public testing::TestWithParam<Case> {};

TEST_P(TargetField, isJudged) {
  Manifest manifest = sampleManifest();
  GetParam().edit(manifest.targets[0]);
  absl::Status status = validateManifest(manifest, 20480);
  if (*GetParam().message == '\0')
    EXPECT_EQ(status, absl::OkStatus());
  else
    EXPECT_THAT(status.message(), HasSubstr(GetParam().message));
}

Step &prefill(Target &target) { return target.steps[1]; }
Copy &copy(Target &target) { return prefill(target).calls[2].copies[0]; }

const Case kCases[] = {
    {"no_name", [](Target &t) { t.name = ""; }, "a target's name is empty"},
    {"no_compatibility", [](Target &t) { t.compatibility = ""; },
     "target 'x86-64-v3': compatibility is empty"},
    {"code_elsewhere", [](Target &t) { t.code_section = "x"; },
     "its code section 'x' is not in the artifact"},
    {"no_code_section", [](Target &t) { t.code_section = ""; },
     "the name of its code section is empty"},
    {"code_section_that_paints", [](Target &t) { t.code_section = "\x1b[1m"; },
     "the name of its code section holds a control character"},
    {"weights_elsewhere", [](Target &t) { t.weights_section = "x"; },
     "its weights section 'x' is not in the artifact"},
    {"weights_section_that_paints", [](Target &t) { t.weights_section = "\x1b"; },
     "the name of its weights section holds a control character"},
    {"weights_without_a_section", [](Target &t) { t.weights_section = ""; },
     "there are 2 weights but no weights section"},
    {"weights_buffer_without_a_section",
     [](Target &t) { t.weights_section = "", t.weights.clear(); }, "the weights section has 0"},

    {"nameless_weight", [](Target &t) { t.weights[0].name = ""; }, "a weight's name is empty"},
    {"weight_named_twice", [](Target &t) { t.weights[1].name = "a"; }, "weight 'a' stands twice"},
    {"weight_layout_too_long", [](Target &t) { t.weights[1].layout.assign(513, 'x'); },
     "a weight's layout has 513 bytes"},
    {"weight_over_the_end", [](Target &t) { t.weights[1].size = 4034; },
     "weight 'b' has 4034 bytes from 64 on; it must end by 4097"},
    {"weight_end_overflows", [](Target &t) { t.weights[1].offset = ~0ull; },
     "weight 'b' has 4033 bytes from 18446744073709551615"},

    {"no_step", [](Target &t) { t.steps.clear(); }, "there is no step"},
    {"many_steps", [](Target &t) { t.steps.resize(65); }, "there are 65 steps; at most 64"},
    {"nameless_step", [](Target &t) { t.steps[0].name = ""; }, "a step's name is empty"},
    {"step_named_twice", [](Target &t) { t.steps[1].name = "decode"; },
     "step 'decode' stands twice"},
    {"no_rows", [](Target &t) { prefill(t).max_rows = 0; }, "step 'prefill': max_rows is 0"},
    {"many_rows", [](Target &t) { prefill(t).max_rows = (1 << 20) + 1; }, "max_rows is 1048577"},
    {"decode_of_two_rows", [](Target &t) { t.steps[0].max_rows = 2; },
     "max_rows is 2; decode has 1"},

    {"many_buffers", [](Target &t) { prefill(t).buffers.resize(1025); },
     "there are 1025 buffers; at most 1024"},
    {"unknown_kind", [](Target &t) { prefill(t).buffers[0].kind = static_cast<BufferKind>(9); },
     "a buffer's kind is 9; the last one known is 8"},
    {"huge_buffer", [](Target &t) { prefill(t).buffers[5].bytes = (1ull << 48) + 1; },
     "a buffer has 281474976710657 bytes"},
    {"few_tokens", [](Target &t) { prefill(t).buffers[0].bytes = 15; },
     "a buffer of kind 0 has 15 bytes; 4 rows need 16"},
    {"few_positions", [](Target &t) { prefill(t).buffers[2].bytes = 0; },
     "a buffer of kind 2 has 0 bytes"},
    {"state_buffer_too_small", [](Target &t) { prefill(t).buffers[7].bytes = 255; },
     "a buffer of kind 7 has 255 bytes; 4 rows need 256"},
    {"weights_buffer_too_large", [](Target &t) { prefill(t).buffers[6].bytes = 4098; },
     "the weights buffer has 4098 bytes; the weights section has 4097"},

    {"no_call", [](Target &t) { prefill(t).calls.clear(); }, "there are 0 calls"},
    {"many_calls", [](Target &t) { prefill(t).calls.resize(65537); }, "there are 65537 calls"},
    {"nameless_entry", [](Target &t) { prefill(t).calls[0].entry = ""; },
     "a call's entry is empty"},
    {"device_that_is_not_there", [](Target &t) { prefill(t).calls[0].device = 2; },
     "call 0 ('prefill') runs on device 2; the target has 2"},
    {"buffer_of_another_device", [](Target &t) { prefill(t).calls[0].buffers[3] = 8; },
     "call 0 ('prefill') runs on device 0 and takes a buffer of device 1"},
    {"buffer_on_no_device", [](Target &t) { prefill(t).buffers[8].device = 2; },
     "a buffer is on device 2; the target has 2"},
    {"tokens_away_from_home", [](Target &t) { prefill(t).buffers[0].device = 1; },
     "a buffer of kind 0 is on device 1; it belongs to device 0"},
    {"arena_with_an_offset", [](Target &t) { prefill(t).buffers[5].offset = 64; },
     "a buffer of kind 5 has offset 64"},
    {"crossing_value_with_an_offset", [](Target &t) { prefill(t).buffers[8].offset = 64; }, ""},
    {"crossing_value_far_out", [](Target &t) { prefill(t).buffers[8].offset = (1ull << 48) + 1; },
     "bytes at 281474976710657"},

    {"copy_from_nowhere", [](Target &t) { copy(t).from = 9; },
     "copies from buffer 9 to 8 but the step has 9"},
    {"copy_at_home", [](Target &t) { copy(t).to = 0; },
     "copies from device 0 to device 0; it must be between device 0 and another"},
    {"copy_of_unknown_rows", [](Target &t) { copy(t).rows = static_cast<RowsOfCopy>(3); },
     "copies rows of kind 3 times 1"},
    {"copy_of_no_rows", [](Target &t) { copy(t).row_factor = 0; }, "times 0"},
    {"copy_of_too_many_rows", [](Target &t) { copy(t).row_factor = 4097; }, "times 4097"},
    {"copy_of_empty_rows", [](Target &t) { copy(t).row_bytes = 0; }, "copies rows of 0 bytes"},
    {"copy_over_the_end", [](Target &t) { copy(t).row_bytes = 33; },
     "copies 4 rows to a buffer of 128 bytes, which ends before them"},
    {"copy_over_the_end_by_its_stride", [](Target &t) { copy(t).from_stride = 161; },
     "copies 4 rows from a buffer of 512 bytes, which ends before them"},
    {"copy_whose_end_overflows", [](Target &t) { copy(t).from_stride = ~0ull / 3; },
     "at most 281474976710656 are allowed"},
    {"nameless_copies", [](Target &t) { prefill(t).calls[2].entry = ""; }, ""},
    {"many_copies", [](Target &t) { prefill(t).calls[2].copies.resize(1025); },
     "there are 1025 copies of a call; at most 1024"},

    {"nameless_part", [](Target &t) { t.parts[0].name = ""; }, "a part's name is empty"},
    {"part_without_code", [](Target &t) { t.parts[0].code_section = "x"; },
     "part 'npu:tiny': its code section 'x' is not in the artifact"},
    {"part_with_weights_elsewhere", [](Target &t) { t.parts[0].weights_section = "x"; },
     "part 'npu:tiny': its weights section 'x' is not in the artifact"},
    {"many_parts", [](Target &t) { t.parts.resize(65); }, "there are 65 parts; at most 64"},
    {"buffer_that_is_not_there", [](Target &t) { prefill(t).calls[1].buffers = {9}; },
     "call 1 ('after') takes buffer 9 but the step has 9"},
    {"call_of_many_buffers", [](Target &t) { prefill(t).calls[0].buffers.resize(1025); },
     "there are 1025 buffers of a call"},
    {"call_that_waits_for_itself", [](Target &t) { prefill(t).calls[1].waits = {1}; },
     "call 1 ('after') waits for call 1; it must wait for an earlier one"},
    {"call_that_waits_for_a_later_one", [](Target &t) { prefill(t).calls[0].waits = {1}; },
     "call 0 ('prefill') waits for call 1"},
};
INSTANTIATE_TEST_SUITE_P(Each, TargetField, testing::ValuesIn(kCases),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(Targets, areRefusedWhenNamedTwice) {
  Manifest manifest = sampleManifest();
  manifest.targets.push_back(manifest.targets[0]);
  EXPECT_THAT(validateManifest(manifest, 20480).message(),
              HasSubstr("target 'x86-64-v3' stands twice"));
}

TEST(Targets, areRefusedWhenThereAreMany) {
  Manifest manifest = sampleManifest();
  manifest.targets.resize(257);
  EXPECT_THAT(validateManifest(manifest, 20480).message(),
              HasSubstr("there are 257 targets; at most 256"));
}

} // namespace
} // namespace lathe::artifact
