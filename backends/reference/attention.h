// Grouped-query attention over a key-value cache: see ir/lathe/attention_ops.td.
#pragma once

#include <optional>

#include "backends/reference/value.h"

namespace lathe::reference {

// Writes the step's keys and values into `cache`, then attends. Rows may stand in any order and
// belong to any slots.
Tensor attention(const Tensor &query, const Tensor &key, const Tensor &value, const Indices &slots,
                 const Indices &positions, KvCache &cache, int64_t num_heads, float softmax_scale,
                 std::optional<int64_t> window);

} // namespace lathe::reference
