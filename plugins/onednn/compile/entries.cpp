#include "compile/entries.h"
#include "compile/scratch.h"

#include <algorithm>

namespace onednn {
namespace {

class EntryBuilder : public Emitter {
public:
  EntryBuilder(const lathe_function *theirs, Made &made)
      : function_(::onednn::take(theirs)), made_(made) {}

  void build(Products products) {
    begin();
    for (size_t i = 0; i < function_.input_count; ++i)
      addInput(i);
    findLastUses();
    for (op_ = 0; op_ < function_.op_count; ++op_) {
      addOp(function_.ops[op_], products);
      freeDead();
    }
    for (size_t i = 0; i < function_.result_count; ++i)
      addResult(i);
    entry_.instruction_count = made_.code.instructions.size() - entry_.first_instruction;
    made_.code.entries.push_back(entry_);
    made_.scratch_bytes.push_back(scratch_.peak());
  }

  Place take(const Value &value) override { return known(value, element_f32, "rows of f32"); }
  Place takeIndices(const Value &value) override { return known(value, element_i32, "i32"); }

  Place takeWeight(const Value &value, Element element) override {
    auto weight = constants_.find(value.id);
    if (weight != constants_.end())
      return made_.weights.place(weight->second, element);
    return known(value, element_f32, "f32 and no weight");
  }

  // What is computed stands where the function wants it as a result, or in scratch memory.
  Place give(const Value &value) override {
    const Shape shape = *shapeOf(value.type);
    Place place = {place_result, 0, 0, shape.columns, element_f32, shape};
    for (; place.index < results_.size(); ++place.index)
      if (results_[place.index] == value.id)
        return places_[value.id] = place;
    return places_[value.id] = block(shape, lastUse(value.id));
  }

  void giveView(const Value &value, const Place &place) override { places_[value.id] = place; }

  Place scratch(const Shape &shape) override { return block(shape, op_); }

  uint64_t cacheOffset(const Value &cache, uint64_t bytes) override {
    auto found = caches_.find(cache.id);
    if (found == caches_.end())
      refuse("takes a cache that is no input", function_.name);
    return made_.state.add(found->second, bytes);
  }

  void emit(const Instruction &instruction) override {
    made_.code.instructions.push_back(instruction);
  }

private:
  [[noreturn]] void refuse(const std::string &what, lathe_string where) const {
    fail(LATHE_ERROR_FAILED_PRECONDITION,
         "function '" + shown(function_.name) + "': '" + shown(where) + "': " + what);
  }

  void begin() {
    if (function_.name.size >= sizeof entry_.name ||
        static_cast<uint64_t>(function_.max_rows) - 1 >= kMaxExtent ||
        function_.input_count > UINT16_MAX || function_.result_count > UINT16_MAX)
      refuse("its name, rows or values are more than onednn takes", function_.name);
    std::copy_n(function_.name.data, function_.name.size, entry_.name);
    entry_.max_rows = static_cast<uint64_t>(function_.max_rows);
    entry_.first_instruction = made_.code.instructions.size();
    for (size_t i = 0; i < function_.result_count; ++i) {
      const Value value(::onednn::take(function_.results[i]).value);
      if (!isCache(value))
        results_.push_back(value.id);
    }
    entry_.result_count = results_.size();
  }

  // ---- Scratch memory: a value's block is free after the last op that takes it.

  static constexpr size_t kNever = SIZE_MAX;

  // Slices are views: who takes one takes what it is of.
  uint32_t rootOf(uint32_t id) const {
    auto view = viewed_.find(id);
    return view == viewed_.end() ? id : view->second;
  }

  void findLastUses() {
    for (size_t i = 0; i < function_.op_count; ++i) {
      const OpView op(function_.ops[i]);
      for (const Value &operand : op.operands(nullptr))
        last_uses_[rootOf(operand.id)] = i;
      if (op.name() == "lathe.slice")
        viewed_[op.result("result").id] = rootOf(op.operand("input").id);
    }
    for (uint32_t id : results_) // copied at the end
      last_uses_[rootOf(id)] = kNever;
  }

  size_t lastUse(uint32_t id) const {
    auto found = last_uses_.find(id);
    return found == last_uses_.end() ? op_ : found->second;
  }

  Place block(const Shape &shape, size_t last_use) {
    Place place = {place_scratch, 0, 0, shape.columns, element_f32, shape};
    const Scratch::Block taken = scratch_.take(bytesOf(place, entry_.max_rows, entry_.max_rows));
    if (scratch_.peak() > kMaxBytes)
      refuse("needs more scratch memory than 2^62 bytes", function_.name);
    blocks_.emplace(last_use, taken);
    place.offset = taken.offset;
    return place;
  }

  void freeDead() {
    const auto dead = blocks_.upper_bound(op_);
    for (auto block = blocks_.begin(); block != dead; ++block)
      scratch_.giveBack(block->second);
    blocks_.erase(blocks_.begin(), dead);
  }

  static bool isCache(const Value &value) { return !value.isTensor() && !value.isQuantized(); }

  // Bindings are the inputs that are no cache, in their order.
  void addInput(size_t index) {
    const lathe_operand input = ::onednn::take(function_.inputs[index]);
    const Value value(input.value);
    if (isCache(value)) {
      caches_[value.id] = std::string(view(input.name));
      return;
    }
    const bool is_i32 = value.type.element == LATHE_ELEMENT_I32;
    const std::optional<Shape> shape = shapeOf(value.type);
    if (value.isTensor() && shape && (is_i32 || value.type.element == LATHE_ELEMENT_F32))
      places_[value.id] = {
          place_input, entry_.input_count, 0, shape->columns, is_i32 ? element_i32 : element_f32,
          *shape};
    ++entry_.input_count; // what has no place can be there as long as nobody takes it
  }

  void addOp(const lathe_op *theirs, Products products) {
    const OpView op(theirs);
    if (op.constant() && op.name() == "lathe.weight")
      constants_[op.result("result").id] = op.constant();
    try {
      Lowering(op, products, *this).run();
    } catch (const Refusal &refusal) {
      refuse(refusal.text, text(op.location()));
    }
    // A cache that comes out is the memory that went in.
    for (const Value &result : op.results())
      if (isCache(result))
        caches_[result.id] = caches_[op.operand("cache").id];
  }

  // An input or a weight that is a result too, a view, or a value that is two results, is copied.
  void addResult(size_t index) {
    const lathe_operand result = ::onednn::take(function_.results[index]);
    const Value value(result.value);
    if (isCache(value))
      return;
    if (value.type.element != LATHE_ELEMENT_F32 || !shapeOf(value.type))
      refuse("is a result that is no f32 tensor", result.name);
    Instruction copy{.kind = run_copy};
    copy.places[1] = takeWeight(value, element_f32);
    const Shape &shape = copy.places[1].shape;
    copy.places[0] = {place_result, result_index_++, 0, shape.columns, element_f32, shape};
    const Place &from = copy.places[1], &to = copy.places[0];
    if (from.kind != place_result || from.index != to.index)
      emit(copy);
  }

  Place known(const Value &value, Element element, const char *wanted) const {
    auto found = places_.find(value.id);
    if (found == places_.end() || found->second.element != element)
      refuse(std::string("takes a value that is not ") + wanted, function_.name);
    return found->second;
  }

  lathe_function function_;
  Made &made_;
  Entry entry_;
  size_t op_ = 0;
  uint64_t result_index_ = 0;
  Scratch scratch_;
  std::multimap<size_t, Scratch::Block> blocks_;                   // by the op that takes them last
  std::unordered_map<uint32_t, size_t> last_uses_;                 // of values by their id
  std::unordered_map<uint32_t, uint32_t> viewed_;                  // what a slice is of
  std::vector<uint32_t> results_;                                  // ids
  std::unordered_map<uint32_t, Place> places_;                     // of values by their id
  std::unordered_map<uint32_t, const lathe_constant *> constants_; // of weights
  std::unordered_map<uint32_t, std::string> caches_;               // names
};

} // namespace

uint64_t State::add(const std::string &name, uint64_t bytes) {
  auto [known, is_new] = caches_.try_emplace(name, Cache{bytes_, bytes});
  if (is_new)
    bytes_ += (bytes + 63) / 64 * 64;
  if (bytes_ > kMaxBytes || known->second.bytes != bytes)
    fail(LATHE_ERROR_FAILED_PRECONDITION,
         "cache '" + name + "' has another type in another function, or is one too many");
  return known->second.offset;
}

void addEntry(const lathe_function *function, Products products, Made &made) {
  EntryBuilder(function, made).build(products);
}

} // namespace onednn
