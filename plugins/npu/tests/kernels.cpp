// Kernels of dense models against plain loops.
#include "kernel_rig.h"

namespace npu::kernels {
namespace {

TEST_P(Kernels, mapAdds) {
  for (auto [rows, cols] : {std::pair{1, 7}, {3, 160}, {5, 1000}}) {
    Floats a = wave(rows * cols), c = wave(rows * cols, 3, 0.2f), sum(a.size());
    for (size_t i = 0; i < a.size(); ++i)
      sum[i] = a[i] + c[i];
    uint64_t ld = cols * 4;
    uint64_t out = room(a.size());
    MapPlan plan{.op = MapOp::Add,
                 .cols = uint64_t(cols),
                 .inputs = {{f32, ld}, {f32, ld}},
                 .output = {f32, ld}};
    run(map(device(), plan), {rig.put(a), rig.put(c), out, uint64_t(rows)});
    expect_near(rig.get<float>(out, a.size()), sum, 0);
  }
}

TEST_P(Kernels, mapCopiesColumnsAndConverts) {
  Floats x = wave(3 * 50);
  uint64_t out = room(3 * 20);
  MapPlan plan{.cols = 20, .inputs = {{f32, 200}}, .output = {f16, 40}};
  run(map(device(), plan), {rig.put(x) + 40, out, 3});
  auto got = rig.get<uint16_t>(out, 60);
  for (int r = 0; r < 3; ++r)
    for (int i = 0; i < 20; ++i)
      ASSERT_EQ(got[r * 20 + i], f32ToF16(x[r * 50 + 10 + i]));
}

TEST_P(Kernels, mapRoundsToBf16) {
  Floats x = wave(2 * 50, 1e3f), wanted = x;
  x[0] = 1.00390625f, x[1] = -1.01171875f; // ties: to even
  for (size_t i = 0; i < x.size(); ++i)
    wanted[i] = bf16ToF32(f32ToBf16(x[i]));
  uint64_t out = room(100);
  run(map(device(), {.op = MapOp::Round, .cols = 50, .inputs = {{f32, 200}}, .output = {f32, 200}}),
      {rig.put(x), out, 2});
  expect_near(rig.get<float>(out, 100), wanted, 0);
}

TEST_P(Kernels, mapAppliesSwiglu) {
  Floats gate = wave(2 * 33, 4), up = wave(2 * 33), wanted(66);
  for (int i = 0; i < 66; ++i)
    wanted[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
  uint64_t out = room(66);
  MapPlan plan{
      .op = MapOp::Swiglu, .cols = 33, .inputs = {{f32, 132}, {f32, 132}}, .output = {f32, 132}};
  run(map(device(), plan), {rig.put(gate), rig.put(up), out, 2});
  expect_near(rig.get<float>(out, 66), wanted, 1e-6f);
}

TEST_P(Kernels, rmsNormNormalisesGroups) {
  for (auto [rows, groups, cols] : {std::tuple{1, 1, 160}, {3, 4, 10}, {2, 1, 1500}}) {
    Floats x = wave(rows * groups * cols), g = wave(cols, 2), wanted(x.size());
    for (int i = 0; i < rows * groups; ++i) {
      double sum = 0;
      for (int j = 0; j < cols; ++j)
        sum += double(x[i * cols + j]) * x[i * cols + j];
      for (int j = 0; j < cols; ++j)
        wanted[i * cols + j] = x[i * cols + j] * g[j] / std::sqrt(sum / cols + 1e-6);
    }
    uint64_t out = room(x.size()), ld = groups * cols * 4;
    NormPlan plan{uint64_t(groups), uint64_t(cols), ld, ld, 1e-6f};
    run(rms_norm(device(), plan), {rig.put(x), rig.put(g), out, uint64_t(rows)});
    expect_near(rig.get<float>(out, x.size()), wanted, 2e-6f);
  }
}

TEST_P(Kernels, gatherTakesRows) {
  Floats table = wave(9 * 70);
  std::vector<int32_t> index{8, 0, 3};
  uint64_t out = room(3 * 70);
  run(gather(device(), {.table = f16, .out = f32, .cols = 70, .table_ld = 140, .out_ld = 280}),
      {rig.put(index), rig.put(halves(table)), out, 3, 9});
  auto got = rig.get<float>(out, 210);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 70; ++j)
      ASSERT_EQ(got[i * 70 + j], rounded(table)[index[i] * 70 + j]);
}

TEST_P(Kernels, gatherRefusesARowThatIsNotThere) {
  auto kernel = gather(device(), {.cols = 8, .table_ld = 32, .out_ld = 32});
  std::string error =
      rig.run(*kernel, {rig.put(std::vector<int32_t>{9}), rig.put(wave(72)), room(8), 1, 9});
  EXPECT_THAT(error, testing::HasSubstr("the table has 9 rows"));
}

TEST_P(Kernels, ropeTableKnowsCosAndSin) {
  RopeTablePlan plan{{1.0f, 0.31622776f, 0.1f, 0.01f, 0.001f}, 1.25f};
  std::vector<int32_t> positions{0, 1, 2, 77, 511, 4096, 20000, 3, 5};
  size_t half = plan.frequencies.size();
  uint64_t out = room(positions.size() * 2 * half);
  run(rope_table(device(), plan), {rig.put(positions), out, positions.size()});
  auto got = rig.get<float>(out, positions.size() * 2 * half);
  for (size_t t = 0; t < positions.size(); ++t)
    for (size_t i = 0; i < half; ++i) {
      double angle = float(positions[t]) * plan.frequencies[i];
      ASSERT_NEAR(got[t * 2 * half + i], std::cos(angle) * 1.25, 4e-7) << positions[t];
      ASSERT_NEAR(got[t * 2 * half + half + i], std::sin(angle) * 1.25, 4e-7) << positions[t];
    }
}

TEST_P(Kernels, ropeRotatesPairsAndHalves) {
  for (bool pairs : {false, true})
    for (auto [heads, head_dim, offset, d] :
         {std::tuple{4, 48, 32, 16}, {1, 16, 0, 16}, {3, 10, 2, 6}, {70, 24, 8, 8}}) {
      int rows = 2, cols = heads * head_dim, half = d / 2;
      Floats x = wave(rows * cols), table = wave(rows * d, 1, 0.9f), wanted = x;
      for (int t = 0; t < rows; ++t)
        for (int h = 0; h < heads; ++h)
          for (int i = 0; i < half; ++i) {
            int at = t * cols + h * head_dim + offset;
            int p = at + (pairs ? 2 * i : i), q = at + (pairs ? 2 * i + 1 : i + half);
            float c = table[t * d + i], s = table[t * d + half + i];
            wanted[p] = x[p] * c - x[q] * s;
            wanted[q] = x[p] * s + x[q] * c;
          }
      uint64_t out = room(x.size()), ld = cols * 4;
      RopePlan plan{
          uint64_t(heads), uint64_t(head_dim), uint64_t(offset), uint64_t(d), ld, ld, pairs};
      run(rope(device(), plan), {rig.put(x), rig.put(table), out, uint64_t(rows)});
      expect_near(rig.get<float>(out, x.size()), wanted, 1e-6f);
    }
}

// ---- Products

// The packed form: strips of tiles.n rows, zN or rows as L1 has them.
std::vector<uint16_t> packed(const Device &device, const ProductPlan &plan, const Floats &w) {
  ProductTiles tiles = *product_tiles(device, plan);
  uint64_t k16 = round_up(plan.k, 16), across = ceil_div(plan.n, tiles.n);
  bool rows = device.spec(Space::L1).layout == Layout::Rows;
  std::vector<uint16_t> result(plan.experts * plan.groups * across * tiles.n * k16);
  for (uint64_t e = 0; e < plan.experts * plan.groups; ++e)
    for (uint64_t n = 0; n < plan.n; ++n)
      for (uint64_t k = 0; k < plan.k; ++k) {
        uint64_t strip = (e * across + n / tiles.n) * tiles.n * k16, row = n % tiles.n;
        uint64_t at = rows ? row * k16 + k : k / 16 * 16 * tiles.n + row * 16 + k % 16;
        result[strip + at] = f32ToF16(w[(e * plan.n + n) * plan.k + k]);
      }
  return result;
}

float dot(const Floats &a, size_t at_a, const Floats &c, size_t at_c, size_t k, size_t step = 1) {
  double sum = 0;
  for (size_t i = 0; i < k; ++i)
    sum += double(a[at_a + i]) * c[at_c + i * step];
  return static_cast<float>(sum);
}

TEST_P(Kernels, productOfWeights) {
  for (auto [m, n, k] : {std::tuple{1, 48, 160}, {17, 33, 50}, {3, 512, 384}, {200, 16, 16}}) {
    Floats a = rounded(wave(m * k)), w = rounded(wave(n * k, 1, 0.37f)), wanted(m * n);
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j)
        wanted[i * n + j] = dot(a, i * k, w, j * k, k);
    ProductPlan plan{.m = uint64_t(m),
                     .n = uint64_t(n),
                     .k = uint64_t(k),
                     .a_ld = uint64_t(k) * 2,
                     .c_ld = uint64_t(n) * 4};
    uint64_t out = room(m * n);
    run(product(device(), plan),
        {rig.put(halves(a)), rig.put(packed(device(), plan, w)), out, uint64_t(m)});
    expect_near(rig.get<float>(out, m * n), wanted, 1e-5f);
  }
}

// Strips may end with a factor for each of their rows.
TEST_P(Kernels, productOfScaledWeights) {
  if (!device().spec(Space::FB).bytes)
    GTEST_SKIP() << "no scales on the way out of the cube";
  const int m = 3, n = 70, k = 48;
  Floats a = rounded(wave(m * k)), w = rounded(wave(n * k, 1, 0.37f)), wanted(m * n);
  ProductPlan plan{.m = m, .n = n, .k = k, .a_ld = k * 2, .c_ld = n * 4, .factors = true};
  uint64_t strip = product_tiles(device(), plan)->n, numbers = strip * k;
  std::vector<uint16_t> plain = packed(device(), plan, w), bits;
  for (uint64_t i = 0; i < plain.size() / numbers; ++i) {
    Floats factors(strip);
    for (uint64_t j = 0; j < strip; ++j)
      factors[j] = float(i * strip + j + 1);
    auto *words = reinterpret_cast<const uint16_t *>(factors.data());
    bits.insert(bits.end(), &plain[i * numbers], &plain[i * numbers] + numbers);
    bits.insert(bits.end(), words, words + 2 * strip);
  }
  for (int i = 0; i < m * n; ++i)
    wanted[i] = dot(a, i / n * k, w, i % n * k, k) * float(i % n + 1);
  uint64_t out = room(m * n);
  run(product(device(), plan), {rig.put(halves(a)), rig.put(bits), out, uint64_t(m)});
  expect_near(rig.get<float>(out, m * n), wanted, 1e-5f);
}

// Rows of f32 as two parts of bf16: nearly as good as f32, with its range.
TEST_P(Kernels, productOfTwoParts) {
  auto casts = device().vector.casts.find(f32);
  if (!device().cube.find(DType::Bf16, DType::Bf16) ||
      !(casts->second >> unsigned(DType::Bf16) & 1))
    GTEST_SKIP() << "no bf16";
  const int m = 5, n = 40, k = 72;
  Floats x = wave(m * k, 1e6f), w = wave(n * k, 1e-3f, 0.37f), wanted(m * n);
  ProductPlan plan{.type = DType::Bf16,
                   .m = m,
                   .n = n,
                   .k = k,
                   .a_ld = 2 * k * 2,
                   .c_ld = n * 4,
                   .parts = 2,
                   .a_part = k * 2};
  std::vector<uint16_t> bits = packed(device(), plan, w);
  for (uint16_t &each : bits)
    each = f32ToBf16(f16ToF32(each));
  for (float &each : w)
    each = bf16ToF32(f32ToBf16(f16ToF32(f32ToF16(each))));
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j)
      wanted[i * n + j] = dot(x, i * k, w, j * k, k);
  uint64_t parts = room(m * k), out = room(m * n);
  run(map(device(), {.op = MapOp::Split,
                     .cols = k,
                     .inputs = {{f32, k * 4}},
                     .output = {DType::Bf16, 2 * k * 2}}),
      {rig.put(x), parts, m});
  run(product(device(), plan), {parts, rig.put(bits), out, m});
  auto got = rig.get<float>(out, m * n);
  for (int i = 0; i < m * n; ++i)
    ASSERT_NEAR(got[i], wanted[i], 0.2) << i; // of sums of 72 products of 1000
}

TEST_P(Kernels, productOfHeads) {
  int m = 3, heads = 4, n = 48, k = 32, a_cols = heads * 48, c_cols = heads * 64;
  Floats a = rounded(wave(m * a_cols)), w = rounded(wave(heads * n * k, 1, 0.37f));
  ProductPlan plan{.m = 3,
                   .n = 48,
                   .k = 32,
                   .a_ld = uint64_t(a_cols) * 2,
                   .c_ld = uint64_t(c_cols) * 4,
                   .groups = 4,
                   .a_group = 96,
                   .c_group = 256};
  uint64_t out = room(m * c_cols);
  run(product(device(), plan), {rig.put(halves(a)), rig.put(packed(device(), plan, w)), out, 3});
  auto got = rig.get<float>(out, m * c_cols);
  for (int t = 0; t < m; ++t)
    for (int h = 0; h < heads; ++h)
      for (int j = 0; j < n; ++j)
        ASSERT_NEAR(got[t * c_cols + h * 64 + j],
                    dot(a, t * a_cols + h * 48, w, (h * n + j) * k, k), 1e-4);
}

TEST_P(Kernels, productOfExperts) {
  int experts = 5, n = 40, k = 24;
  std::vector<int32_t> offsets{0, 3, 3, 4, 24, 25};
  Floats a = rounded(wave(25 * k)), w = rounded(wave(experts * n * k, 1, 0.37f)), wanted(25 * n);
  for (int e = 0; e < experts; ++e)
    for (int i = offsets[e]; i < offsets[e + 1]; ++i)
      for (int j = 0; j < n; ++j)
        wanted[i * n + j] = dot(a, i * k, w, (e * n + j) * k, k);
  ProductPlan plan{.form = ProductForm::Experts,
                   .m = 25,
                   .n = 40,
                   .k = 24,
                   .a_ld = 48,
                   .c_ld = 160,
                   .experts = 5};
  uint64_t out = room(25 * n);
  uint64_t at = rig.put(offsets), active = room(experts + 1);
  run(find_active(device(), experts), {at, active});
  EXPECT_THAT(rig.get<int32_t>(active, 5), testing::ElementsAre(4, 0, 2, 3, 4));
  run(product(device(), plan),
      {rig.put(halves(a)), rig.put(packed(device(), plan, w)), out, at, active});
  expect_near(rig.get<float>(out, 25 * n), wanted, 1e-5f);
}

// Attention over a small latent cache, step by step, for tokens `first` and on.
TEST_P(Kernels, latentAttention) {
  const int heads = 3, c = 24, r = 8, dim = c + r, context = 70, slots = 2, tokens = 3;
  std::vector<int32_t> slot{1, 0, 1}, position{66, 0, 9};
  Floats latents = rounded(wave(slots * context * dim)), fresh = rounded(wave(tokens * dim, 2));
  Floats q = rounded(wave(tokens * heads * dim, 1, 0.31f));
  uint64_t cache = rig.put(halves(latents)), at_slot = rig.put(slot), at = rig.put(position);
  run(append(device(), {.cols = dim,
                        .x_ld = dim * 4,
                        .max_context = context,
                        .slots = slots,
                        .cache_ld = dim * 2}),
      {rig.put(fresh), cache, at_slot, at, tokens});
  for (int t = 0; t < tokens; ++t)
    std::copy_n(&fresh[t * dim], dim, &latents[(slot[t] * context + position[t]) * dim]);
  const uint64_t ld = 80;
  uint64_t scores = room(2 * heads * ld), p = room(heads * ld), out = room(tokens * heads * c);
  ProductPlan by_keys{.form = ProductForm::Scores,
                      .m = heads,
                      .n = context,
                      .k = dim,
                      .a_ld = dim * 2,
                      .c_ld = ld * 4,
                      .b_ld = dim * 2,
                      .b_slot = context * dim * 2,
                      .tokens = 2,
                      .slots = slots};
  ProductPlan by_values{.form = ProductForm::Values,
                        .m = heads,
                        .n = c,
                        .k = context,
                        .a_ld = ld * 2,
                        .c_ld = c * 4,
                        .b_ld = dim * 2,
                        .b_slot = context * dim * 2,
                        .tokens = 2,
                        .slots = slots};
  SoftmaxPlan between{.heads = heads,
                      .max_context = context,
                      .scores_ld = ld * 4,
                      .p_ld = ld * 2,
                      .tokens = 2,
                      .scale = 0.25f};
  uint64_t queries = rig.put(halves(q));
  for (uint64_t first : {0, 2}) {
    run(product(device(), by_keys), {queries, cache, scores, at_slot, at, tokens, first});
    run(softmax(device(), between), {scores, p, at, tokens, first});
    run(product(device(), by_values), {p, cache, out, at_slot, at, tokens, first});
  }
  auto got = rig.get<float>(out, tokens * heads * c);
  for (int t = 0; t < tokens; ++t)
    for (int h = 0; h < heads; ++h) {
      int keys = position[t] + 1, base = slot[t] * context * dim;
      Floats e(keys);
      double sum = 0;
      for (int s = 0; s < keys; ++s)
        sum += e[s] = std::exp(0.25f * dot(q, (t * heads + h) * dim, latents, base + s * dim, dim));
      for (int j = 0; j < c; ++j)
        ASSERT_NEAR(got[(t * heads + h) * c + j], dot(e, 0, latents, base + j, keys, dim) / sum,
                    2e-3);
    }
}

TEST_P(Kernels, softmaxSeesItsWindow) {
  const uint64_t context = 3000, ld = 3008;
  std::vector<int32_t> position{2500};
  Floats scores = wave(ld, 3);
  uint64_t p = room(ld);
  run(softmax(device(), {.heads = 1,
                         .max_context = context,
                         .scores_ld = ld * 4,
                         .p_ld = ld * 2,
                         .window = 100,
                         .scale = 0.5f}),
      {rig.put(scores), p, rig.put(position), 1, 0});
  auto got = rig.get<uint16_t>(p, 2501);
  double sum = 0;
  for (int s = 2401; s <= 2500; ++s)
    sum += std::exp(0.5 * scores[s]);
  for (int s = 0; s <= 2500; ++s)
    ASSERT_NEAR(f16ToF32(got[s]), s < 2401 ? 0 : std::exp(0.5 * scores[s]) / sum, 2e-5) << s;
}

INSTANTIATE_TEST_SUITE_P(Devices, Kernels, kernel_devices(), device_label);

} // namespace
} // namespace npu::kernels
