// The shapes and the forms of weights and rows that lines are made of.
#pragma once

#include <array>

#include "backends/x86/kernels/linear.h"
#include "tests/bench/line.h"

namespace lathe::bench {

// DeepSeek-V2-Lite.
inline constexpr int64_t kHidden = 2048, kDenseInner = 10944, kInner = 1408, kSharedInner = 2816,
                         kExperts = 64, kTopK = 6, kHeads = 16, kNope = 128, kRope = 64,
                         kValue = 128, kRank = 512, kVocabulary = 102400;

// As checkpoints have it.
struct WeightForm {
  const char *name;
  x86::Format::Kind format;
  x86::ScaleMode::Kind scales;
  int64_t block;   // inputs that share a scale
  bool fits_tiles; // exact in bf16, which AMX multiplies
};
inline constexpr std::array<WeightForm, 7> kWeightForms = {{
    {"f32", x86::Format::f32, x86::ScaleMode::none, 0, false},
    {"bf16", x86::Format::bf16, x86::ScaleMode::none, 0, true},
    {"f16", x86::Format::f16, x86::ScaleMode::none, 0, false},
    {"e4m3", x86::Format::e4m3, x86::ScaleMode::tile, 128, true},
    {"e5m2", x86::Format::e5m2, x86::ScaleMode::tile, 128, true},
    {"i8", x86::Format::i8, x86::ScaleMode::lane_f16, 32, true},
    {"i4", x86::Format::i4, x86::ScaleMode::lane_f16, 32, true},
}};
inline constexpr const WeightForm &kE4m3 = kWeightForms[3];

struct RowForm {
  const char *name;
  x86::Activations::Kind kind;
  double tile_products; // an f32 is three bf16
  int64_t block = 0;    // of quantised rows
  int64_t rows_in = x86::RowsIn::f32;
};
inline constexpr RowForm kF32Rows = {"f32", x86::Activations::f32, 3},
                         kBf16Rows = {"bf16", x86::Activations::bf16, 1},
                         kW8a8Rows = {"w8a8", x86::Activations::w8a8, 1, 128},
                         kI8Rows = {"w8a8", x86::Activations::w8a8, 1, 32, x86::RowsIn::i8};

inline constexpr x86::WeightParams weightOf(const WeightForm &form, int64_t n, int64_t k) {
  return x86::weightParams(n, k, form.format, form.scales, form.block);
}

inline constexpr x86::XParams xOf(const RowForm &form, int64_t k) {
  if (form.block)
    return {form.kind, k, form.block, x86::ceilDiv(k, form.block), form.rows_in};
  return {form.kind, k, 0, 0};
}

// Rows that go into a product.
struct X {
  int64_t rows, scales;
};
inline X takeX(Line &line, const RowForm &form, int64_t k) {
  int64_t rows = line.rows(k);
  return {rows, form.block ? line.rows(x86::ceilDiv(k, form.block)) : x86::no_operand};
}

// Of `count` matrices that are read once and multiplied with `rows` rows each.
inline Work productWork(const x86::WeightParams &w, const WeightForm &weights, const RowForm &form,
                        double count, double rows) {
  double flops = 2.0 * count * rows * static_cast<double>(w.n * w.k);
  Work work;
  work.bytes =
      count * (static_cast<double>(w.matrix_bytes) + rows * 4 * static_cast<double>(w.n + w.k));
  bool integers = form.rows_in == x86::RowsIn::i8, tiles = weights.fits_tiles && rows > 1;
  (integers ? work.integer_flops : tiles ? work.tile_flops : work.vector_flops) = flops;
  work.tile_products = form.tile_products;
  return work;
}

inline std::string rowsSuffix(int64_t rows) { return "/rows:" + std::to_string(rows); }

} // namespace lathe::bench
