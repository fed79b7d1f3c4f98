// Ops that a plugin is asked about, one at a time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins/compile_half.h"
#include "tests/unit/plugins/program_builder.h"

namespace lathe::plugins {

// Of the last op of `builder_`.
class AskedTest : public testing::Test {
protected:
  explicit AskedTest(std::shared_ptr<runtime::Plugin> plugin) : plugin_(std::move(plugin)) {
    builder_.function("f", 4);
  }

  Answer ask(size_t target = 0, int64_t rows = 1) {
    auto answer = supports(*plugin_, builder_.lastOp(), rows, target);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.value_or(Answer{});
  }
  std::string error() {
    return std::string(supports(*plugin_, builder_.lastOp()).status().message());
  }
  void expectNo(uint32_t reason, const std::string &text) {
    const Answer answer = ask();
    EXPECT_EQ(answer.verdict, LATHE_SUPPORT_NO);
    EXPECT_EQ(answer.reason, reason);
    EXPECT_EQ(answer.text, text);
    EXPECT_EQ(answer.seconds, 0);
  }

  const lathe_value *rows(int64_t columns) { return builder_.input("x", builder_.rows(columns)); }
  const lathe_value *matrix(int64_t n, int64_t k, uint32_t element = LATHE_ELEMENT_F32) {
    return builder_.input("w", builder_.tensor({n, k}, element));
  }
  const lathe_value *vector(int64_t n, uint32_t element = LATHE_ELEMENT_F32) {
    return builder_.input("b", builder_.tensor({n}, element));
  }
  void linear(const Operands &operands, const lathe_type *result) {
    builder_.op("lathe.linear", operands, result);
  }

  std::shared_ptr<runtime::Plugin> plugin_;
  ProgramBuilder builder_;
};

} // namespace lathe::plugins
