// How this backend lays out caches.
#pragma once

#include "backends/x86/kernels/attention.h"
#include "backends/x86/kernels/mla.h"
#include "backends/x86/weight_plan.h"

namespace lathe::x86 {

inline KvCacheParams kvCacheParams(ir::KvCacheType type) {
  return {type.getSlots(),  type.getMaxContext(), type.getKvHeads(),
          type.getKeyDim(), type.getValueDim(),   formatOf(type.getElement())};
}

inline LatentCacheParams latentCacheParams(ir::LatentCacheType type) {
  return {type.getSlots(), type.getMaxContext(), type.getKvLoraRank(), type.getRopeDim(),
          formatOf(type.getElement())};
}

inline int64_t cacheBytes(mlir::Type type) {
  if (auto latent = mlir::dyn_cast<ir::LatentCacheType>(type))
    return latentCacheBytes(latentCacheParams(latent));
  return kvCacheBytes(kvCacheParams(mlir::cast<ir::KvCacheType>(type)));
}

} // namespace lathe::x86
