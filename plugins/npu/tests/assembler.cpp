#include "isa/program.h"

#include <gtest/gtest.h>

TEST(Ops, haveDifferentCodes) {
  for (const npu::OpInfo &info : npu::allOps())
    EXPECT_EQ(npu::opWithCode(info.opcode), &info) << info.mnemonic;
}
