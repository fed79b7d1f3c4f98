// What latent attention costs in each of its forms.
#pragma once

#include <string>

#include "ir/lathe/dialect.h"

namespace lathe::passes::cost {

// Extents of an mla_attention that has its kv_b, as its description names them.
struct MlaShape {
  int64_t heads, nope, rope, value, rank;
  double weight_bytes;        // of kv_b with its scales
  double cache_element_bytes; // of one element of a latent in the cache

  static MlaShape of(ir::MlaAttentionOp op);
};

struct Work {
  double flops = 0, bytes = 0;

  // On the machine of table.h, whichever of the two takes longer.
  double seconds() const;
};

// Work of one step of `rows` rows that see `keys` keys each. Materialised: 2 S H c (n + v) FLOPs to
// expand the keys and values, then 2 T S H (n + r + v). Absorbed: 2 T H c (n + v) for the folds,
// then 2 T S H (2 c + r). Both read kv_b and the latents once; absorbed queries and sums of
// latents, which are longer than heads, are written and read once.
Work materialised(const MlaShape &shape, double rows, double keys);
Work absorbed(const MlaShape &shape, double rows, double keys);

// "71.3 MFLOP and 6.55 MB", "1.2 ms".
std::string workText(const Work &work);
std::string timeText(double seconds);

} // namespace lathe::passes::cost
