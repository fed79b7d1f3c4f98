// Grouped-query attention: prefill in chunks and decode on one state.
#include <cmath>

#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

struct Heads {
  int64_t heads = 4, kv_heads = 2, key_dim = 16, value_dim = 16;
};

struct Context {
  const char *cache = "f32";
  std::vector<Step> steps;
  int64_t context = 64, slots = 1;
  int64_t window = 0;
  const char *kind = "";
  double size = 1;      // of queries and keys: large ones leave one key with all the weight
  bool rounded = false; // the query is bf16, so whatever is multiplied may be
};

// Scores err by their own size, and weights by as much again. Of queries and keys from -size to
// size they deviate by size^2 / 3, and a converted one errs by a half of its last bit of that.
Measure attended(int64_t keys, int64_t key_dim, const Context &c) {
  const double size = c.size;
  Measure measure = sums(keys + key_dim, "softmax of f32 dot products, f32 sums over keys");
  measure.of_row *= 3 + size * size / 8;
  measure.of_value *= 3;
  measure.conversions = static_cast<int>(3 + size * size / 3);
  return c.rounded ? mayRoundToBf16(measure) : measure;
}

void add(Cases &cases, const Heads &h, const Context &c) {
  std::string window = c.window ? absl::StrCat("_window", c.window) : "";
  Case made{absl::StrCat("attention/", c.cache, c.kind, c.rounded ? "_bf16_query" : "", window,
                         "/rows", rowsText(c.steps), "_heads", h.heads, "of", h.kv_heads, "_dim",
                         h.key_dim, "x", h.value_dim,
                         c.slots > 1 ? absl::StrCat("_slots", c.slots) : ""),
            c.steps, [=](Body &b) {
              mlir::Value query = b.rows("query", h.heads * h.key_dim, uniform(c.size));
              if (c.rounded)
                query = b.rounded(query);
              auto key = b.rows("key", h.kv_heads * h.key_dim, uniform(c.size));
              auto value = b.rows("value", h.kv_heads * h.value_dim);
              auto slots = b.slots(), positions = b.positions();
              auto cache = b.kvCache(c.context, h.kv_heads, h.key_dim, h.value_dim, c.cache);
              auto op = b.create<ir::AttentionOp>(
                  mlir::TypeRange{b.rowsType(h.heads * h.value_dim), cache.getType()}, query, key,
                  value, slots, positions, cache, b.builder().getI64IntegerAttr(h.heads),
                  b.f32(1 / std::sqrt(static_cast<double>(h.key_dim))),
                  c.window ? b.builder().getI64IntegerAttr(c.window) : mlir::IntegerAttr());
              b.result(op.getResult(), attended(c.context, h.key_dim, c));
              b.giveCache(op.getUpdated());
            }};
  made.slots = c.slots;
  cases.push_back(std::move(made));
}

} // namespace

void addAttentionCases(Cases &cases) {
  const Heads shapes[] = {{1, 1, 8, 8},     {4, 4, 16, 16}, {4, 2, 16, 16}, {8, 1, 16, 16},
                          {6, 2, 24, 16},   {3, 3, 5, 7},   {2, 1, 64, 64}, {14, 2, 64, 64},
                          {2, 2, 128, 128}, {4, 2, 1, 1},   {5, 1, 33, 17}};
  for (const Heads &h : shapes) {
    for (const char *cache : {"f32", "bf16"}) {
      add(cases, h, {cache, stepsOf({1, 1, 1})});
      add(cases, h, {cache, stepsOf({9, 1, 1})});
      add(cases, h, {cache, stepsOf({16, 7, 1, 3}), 40});
      // The context is filled to its last place.
      add(cases, h, {cache, stepsOf({17, 5, 1}), 23, 1, 0, "_full"});
    }
    add(cases, h, {"f32", stepsOf({12, 1, 4}), 64, 1, 1});
    add(cases, h, {"f32", stepsOf({12, 1, 4}), 64, 1, 5});
    add(cases, h, {"bf16", stepsOf({12, 1, 4}), 64, 1, 16});
    add(cases, h, {"f32", stepsOf({9, 2, 3}), 64, 3});
    add(cases, h, {"f32", stepsOf({10, 1}), 64, 1, 0, "_sharp", 12});
    for (const char *cache : {"f32", "bf16"})
      add(cases, h, {cache, stepsOf({17, 5, 1}), 64, 1, 0, "", 1, true});
  }
  // Contexts longer than the blocks that kernels go in.
  for (const Heads &h : {Heads{4, 2, 16, 16}, Heads{2, 1, 64, 64}})
    for (const char *cache : {"f32", "bf16"}) {
      add(cases, h, {cache, stepsOf({300, 1, 70}), 512, 1, 0, "_long"});
      add(cases, h, {cache, stepsOf({300, 1, 70}), 512, 1, 100, "_long"});
    }
}

} // namespace lathe::conformance
