// Artifacts that hold the model of toy_code.c, a tokenizer and a chat template: enough to run every
// verb without a compiler.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "artifact/manifest.h"
#include "runtime/module/module.h"
#include "tools/lathe/text_files.h"

namespace lathe::cli {

struct ToyOptions {
  uint32_t context = 64;
  uint32_t prefill_rows = 8;
  int32_t microseconds = 0; // that a token takes
  float temperature = 0;
  std::vector<int32_t> eos = {2};
  bool tokenizer = true, chat_template = true;
  std::string compatibility = "arch=x86_64"; // runs on every machine that runs the tests
  std::string explain = R"([{"step": "decode", "op": "toy", "choice": "usleep"}])";
};

// Writes PATH; fails the test where that fails.
void writeToyModel(const std::string &path, const ToyOptions &options = {});

// The likeliest token behind these, and `count` of them one after the other (without the end
// token).
int32_t toyNext(const std::vector<int32_t> &tokens);
std::vector<int32_t> toyGreedy(std::vector<int32_t> tokens, int count);

// What the template makes of messages that come from "user" and "assistant" in turn.
std::string toyPrompt(const std::vector<std::string> &messages);

} // namespace lathe::cli
