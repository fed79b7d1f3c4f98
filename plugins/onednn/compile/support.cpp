#include "compile/support.h"

#include <algorithm>

namespace onednn {
namespace {

// What two cores of a server with AMX did, measured (README.md); costs are told by these.
constexpr double kBytesPerSecond = 25e9;
constexpr double kReorderedBytesPerSecond = 11e9; // of weights, where there is more than one row
constexpr double kFlopsF32 = 3e11, kFlopsBf16 = 1e12, kFlopsOfAttention = 1e11;
constexpr double kSecondsOfACall = 3e-6;

// Looks at instructions as they come, and keeps nothing.
class Trial : public Emitter {
public:
  Trial(double rows, double keys) : rows_(rows), keys_(keys) {}

  Place take(const Value &value) override { return placeOf(value, element_f32); }
  Place takeIndices(const Value &value) override { return placeOf(value, element_i32); }
  Place takeWeight(const Value &value, Element element) override { return placeOf(value, element); }
  Place give(const Value &value) override { return placeOf(value, element_f32); }
  void giveView(const Value &, const Place &) override {}
  Place scratch(const Shape &shape) override {
    return {place_scratch, 0, 0, shape.columns, element_f32, shape};
  }
  uint64_t cacheOffset(const Value &, uint64_t) override { return 0; }
  void emit(const Instruction &instruction) override { seconds_ += secondsOf(instruction); }

  double seconds() const { return seconds_; }

private:
  static Place placeOf(const Value &value, Element element) {
    const Shape shape = *shapeOf(value.type); // lowering has looked at it
    return {place_input, 0, 0, shape.columns, element, shape};
  }

  double rowsOf(const Place &place) const {
    const auto rows = static_cast<double>(place.shape.rows);
    return place.shape.extent == extent_constant ? rows : rows * rows_;
  }

  // The time of what is read and written, or of what is computed, whichever is longer.
  double secondsOf(const Instruction &instruction) const {
    double bytes = 0;
    for (const Place &place : instruction.places)
      bytes += rowsOf(place) * place.shape.columns * elementBytes(place.element);
    double flops = 0, rate = kFlopsF32;
    const Place &result = instruction.places[0], &weight = instruction.places[2];
    if (instruction.kind == run_linear) {
      flops = 2 * rowsOf(result) * weight.shape.rows * weight.shape.columns;
      rate = weight.element == element_bf16 ? kFlopsBf16 : kFlopsF32;
      if (rowsOf(result) > 1) // as many bytes more as the slower pace is worth
        bytes += bytesOf(weight, 1, 1) * (kBytesPerSecond / kReorderedBytesPerSecond - 1);
    } else if (instruction.kind == run_attention) {
      const CacheShape &cache = instruction.cache;
      const double columns = cache.key_dim + cache.value_dim;
      flops = 2 * rowsOf(result) * instruction.heads.count * keys_ * columns;
      rate = kFlopsOfAttention;
      bytes += keys_ * cache.kv_heads * columns * sizeof(float);
    } else if (instruction.kind == run_absorb_query || instruction.kind == run_expand_value) {
      flops = 2 * rowsOf(result) * weight.shape.rows * weight.shape.columns;
      rate = kFlopsOfAttention;
    }
    return kSecondsOfACall + std::max(bytes / kBytesPerSecond, flops / rate);
  }

  double rows_, keys_, seconds_ = 0;
};

} // namespace

Verdict judge(const lathe_op *theirs, Products products, int64_t rows, int64_t keys) {
  const OpView op(theirs);
  Trial trial(static_cast<double>(std::max<int64_t>(rows, 1)),
              static_cast<double>(std::max<int64_t>(keys, 1)));
  Lowering lowering(op, products, trial);
  try {
    lowering.run();
  } catch (const Refusal &refusal) {
    return {LATHE_SUPPORT_NO, refusal.reason, 0, refusal.text};
  }
  const bool rounds = !lowering.converted().empty();
  return {rounds ? uint32_t{LATHE_SUPPORT_CONVERTED} : uint32_t{LATHE_SUPPORT_YES},
          LATHE_REASON_NONE, trial.seconds(), lowering.converted()};
}

} // namespace onednn
