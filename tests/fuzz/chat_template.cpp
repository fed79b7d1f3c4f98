// Any bytes as a chat template, rendered with a conversation that has everything in it.
#include <cstdint>

#include "base/json.h"
#include "text/chat/chat_template.h"

namespace {

const nlohmann::ordered_json &context() {
  static const nlohmann::ordered_json json = *lathe::parseJson(R"json({
    "messages": [
      {"role": "system", "content": " Be brief. "},
      {"role": "user", "content": "Wie geht's, Zürich?\n"},
      {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image"}]},
      {"role": "assistant", "content": null, "reasoning_content": "hm",
       "tool_calls": [{"type": "function", "id": "1",
                       "function": {"name": "f", "arguments": {"x": 1, "y": [true, null, 2.5]}}}]},
      {"role": "tool", "content": "<think>\nx\n</think>\n\ny", "tool_call_id": "1", "name": "f"}],
    "tools": [{"type": "function",
               "function": {"name": "f", "description": "d <b> 'q'",
                            "parameters": {"type": "object", "properties": {"x": {"type": "integer"}},
                                           "required": ["x"]}}}],
    "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": true, "n": 7, "f": 2.5,
    "s": "Hello World", "l": [3, 1, 2], "d": {"b": 1, "a": [2]}})json",
                                                               "context");
  return json;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  absl::string_view source(reinterpret_cast<const char *>(data), size);
  auto parsed = lathe::text::ChatTemplate::parse(source, "fuzz");
  lathe::text::Limits limits;
  limits.steps = 20000;
  limits.output_bytes = 1 << 20;
  if (parsed.ok())
    (void)parsed->render(context(), limits);
  return 0;
}
