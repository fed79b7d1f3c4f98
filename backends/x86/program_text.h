// A program for people: what `lathe inspect --program` prints, and what one token reads.
#pragma once

#include <string>

#include "backends/x86/program.h"
#include "backends/x86/weight_plan.h"

namespace lathe::x86 {

// A line a region: its op, kernel, items, operands as buffer+offset (weights by name), and where
// the barriers stand.
std::string programText(const Program &program, const WeightPlan &weights);

// Bytes of packed weights that one decoded token reads: each copy once, of routed experts the
// chosen ones.
uint64_t decodeWeightBytes(const Program &program, const WeightPlan &weights);

} // namespace lathe::x86
