// What the shapes of an instruction must be, one rule an op. Both halves ask: the compile half for
// programs that break the dialect's rules, the device half for hostile bytes.
#include <cmath>

#include "code/code.h"

namespace onednn {
namespace {

bool isF32(const Place &place) { return isThere(place) && place.element == element_f32; }

bool isVector(const Place &place, uint64_t length) {
  return isF32(place) && place.shape == Shape{extent_constant, 1, length};
}

bool sameShape(const Place &a, const Place &b) {
  return isF32(a) && isF32(b) && a.shape == b.shape;
}

bool sameRows(const Place &a, const Place &b) {
  return a.shape.extent == b.shape.extent && a.shape.rows == b.shape.rows;
}

// One i32 for each row of `rows`.
bool isIndices(const Place &place, const Place &rows) {
  return isThere(place) && place.element == element_i32 && place.shape.columns == 1 &&
         place.stride == 1 && sameRows(place, rows);
}

bool areLeftOut(const Instruction &instruction, size_t first) {
  for (size_t i = first; i < kPlaces; ++i)
    if (isThere(instruction.places[i]))
      return false;
  return true;
}

bool isPositive(double number) { return std::isfinite(number) && number > 0; }
bool isExtent(uint64_t extent) { return extent - 1 < kMaxExtent; }

bool fitsLinear(const Instruction &instruction) {
  const auto &[result, x, weight, bias, none, none2] = instruction.places;
  return isF32(result) && isF32(x) && sameRows(result, x) && isThere(weight) &&
         weight.element != element_i32 && weight.shape.extent == extent_constant &&
         x.shape.columns == weight.shape.columns && result.shape.columns == weight.shape.rows &&
         (!isThere(bias) || isVector(bias, weight.shape.rows)) && areLeftOut(instruction, 4);
}

bool fitsRmsNorm(const Instruction &instruction) {
  const auto &[result, input, scale, none, none2, none3] = instruction.places;
  return sameShape(result, input) && isVector(scale, scale.shape.columns) &&
         input.shape.columns % scale.shape.columns == 0 && isPositive(instruction.real) &&
         areLeftOut(instruction, 3);
}

bool fitsOfTwo(const Instruction &instruction) {
  return sameShape(instruction.places[0], instruction.places[1]) &&
         sameShape(instruction.places[0], instruction.places[2]) && areLeftOut(instruction, 3);
}

bool fitsOfOne(const Instruction &instruction) {
  return sameShape(instruction.places[0], instruction.places[1]) &&
         std::isfinite(instruction.real) && instruction.rounding < rounding_count &&
         areLeftOut(instruction, 2);
}

bool isCache(const CacheShape &cache) {
  return isExtent(cache.slots) && isExtent(cache.max_context) && isExtent(cache.kv_heads) &&
         isExtent(cache.key_dim) && isExtent(cache.value_dim) && cache.is_latent <= 1 &&
         cache.rounding < rounding_count && cache.offset <= kMaxBytes && cache.offset % 4 == 0 &&
         (!cache.is_latent || cache.value_dim <= cache.key_dim) && cacheBytes(cache) > 0;
}

// Extents are at most 2^20, so products of two of them do not overflow.
bool fitsAttention(const Instruction &instruction) {
  const auto &[result, query, key, value, slots, positions] = instruction.places;
  const CacheShape &cache = instruction.cache;
  const Heads &heads = instruction.heads;
  if (!isCache(cache) || !isExtent(heads.count) || heads.count % cache.kv_heads != 0)
    return false;
  const bool has_values = cache.is_latent
                              ? !isThere(value)
                              : isF32(value) && sameRows(value, query) &&
                                    value.shape.columns == cache.kv_heads * cache.value_dim;
  return isF32(result) && isF32(query) && isF32(key) && has_values && sameRows(result, query) &&
         sameRows(key, query) && isIndices(slots, query) && isIndices(positions, query) &&
         query.shape.columns == heads.count * cache.key_dim &&
         result.shape.columns == heads.count * cache.value_dim &&
         key.shape.columns == cache.kv_heads * cache.key_dim && isPositive(instruction.real);
}

// Of a head: [nope | rope] against [latent | rope], and latent against v.
bool fitsFold(const Instruction &instruction) {
  const auto &[result, input, kv_b, none, none2, none3] = instruction.places;
  const auto &[count, window, nope, rope, v] = instruction.heads;
  if (!isExtent(count) || !isExtent(nope) || !isExtent(rope) || !isExtent(v) || !isF32(result) ||
      !isF32(input) || !isF32(kv_b) || !sameRows(result, input) || !areLeftOut(instruction, 3))
    return false;
  const uint64_t latent = kv_b.shape.columns;
  const bool absorbs = instruction.kind == run_absorb_query;
  return kv_b.shape.extent == extent_constant && kv_b.shape.rows == count * (nope + v) &&
         input.shape.columns == count * (absorbs ? nope + rope : latent) &&
         result.shape.columns == count * (absorbs ? latent + rope : v);
}

} // namespace

uint64_t valuesOffset(const CacheShape &cache) {
  return cache.slots * cache.kv_heads * cache.max_context * cache.key_dim * sizeof(float);
}

uint64_t cacheBytes(const CacheShape &cache) {
  const uint64_t columns = cache.is_latent ? cache.key_dim : cache.key_dim + cache.value_dim;
  unsigned __int128 bytes = sizeof(float) * columns; // 20 bits an extent: less than 2^104
  for (uint64_t extent : {cache.slots, cache.max_context, cache.kv_heads})
    bytes *= extent;
  return bytes <= kMaxBytes ? static_cast<uint64_t>(bytes) : 0;
}

bool fits(const Instruction &instruction) {
  switch (instruction.kind) {
  case run_linear: return fitsLinear(instruction);
  case run_rms_norm: return fitsRmsNorm(instruction);
  case run_add:
  case run_swiglu: return fitsOfTwo(instruction);
  case run_scale:
  case run_copy: return fitsOfOne(instruction);
  case run_attention: return fitsAttention(instruction);
  case run_absorb_query:
  case run_expand_value: return fitsFold(instruction);
  default: return false;
  }
}

} // namespace onednn
