// What latent attention costs in each of its forms.
#pragma once

#include <string>

#include "ir/lathe/dialect.h"
#include "passes/cost/table.h"

namespace lathe::passes::cost {

// Extents of an mla_attention, as its description names them.
struct MlaShape {
  int64_t heads, nope, rope, value, rank;
  WeightCost kv_b;            // nothing where it stands outside
  double cache_element_bytes; // of one element of a latent in the cache

  static MlaShape of(ir::MlaAttentionOp op);
  bool operator==(const MlaShape &) const = default;
};

struct Work {
  double flops = 0, bytes = 0;
};

// Work of one step of `rows` rows that see `keys` keys each. Materialised: 2 S H c (n + v) FLOPs to
// expand the keys and values, then 2 T S H (n + r + v). Absorbed: 2 T H c (n + v) for the folds,
// then 2 T S H (2 c + r). Both read kv_b and the latents once; absorbed queries and sums of
// latents, which are longer than heads, are written and read once.
Work materialised(const MlaShape &shape, double rows, double keys);
Work absorbed(const MlaShape &shape, double rows, double keys);

// What that takes on a target: products and attention at the rates of its table, or reading its
// bytes where that takes longer. Keys are expanded again for every latent_expansion_rows rows.
double seconds(const Table &table, const MlaShape &shape, ir::MlaForm form, double rows,
               double keys);

// The absorbed form's time over the materialised one's, on the target where that is largest; FLOPs
// stand for time where there is no target.
double absorbedShare(llvm::ArrayRef<Table> tables, const MlaShape &shape, double rows, double keys);

// "71.3 MFLOP and 6.55 MB".
std::string workText(const Work &work);

} // namespace lathe::passes::cost
