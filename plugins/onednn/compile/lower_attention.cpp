// Attention over caches of keys and values, and over latents. Latents are attention with one head
// of keys whose first columns are the values; both folds around it are products of each head.
#include "compile/lower.h"

namespace onednn {
namespace {

Rounding roundingOf(const Value &cache) {
  return cache.type.element == LATHE_ELEMENT_BF16  ? round_bf16
         : cache.type.element == LATHE_ELEMENT_F16 ? round_f16
                                                   : round_not;
}

CacheShape cacheShape(const Value &cache) {
  const lathe_type &type = cache.type;
  const auto count = [](int64_t number) { return static_cast<uint64_t>(number); };
  CacheShape shape;
  shape.slots = count(type.slots);
  shape.max_context = count(type.max_context);
  shape.rounding = roundingOf(cache);
  if (type.kind == LATHE_TYPE_KV_CACHE) {
    shape.kv_heads = count(type.kv_heads);
    shape.key_dim = count(type.key_dim);
    shape.value_dim = count(type.value_dim);
    return shape;
  }
  shape.is_latent = 1;
  shape.kv_heads = 1;
  shape.key_dim = count(type.kv_lora_rank + type.rope_dim);
  shape.value_dim = count(type.kv_lora_rank);
  return shape;
}

void checkCache(const Value &cache, uint32_t kind) {
  const uint32_t element = cache.type.element;
  if (cache.type.kind != kind)
    throw Refusal{LATHE_REASON_UNSUPPORTED_TYPE, "cache is " + typeName(cache)};
  if (element != LATHE_ELEMENT_F32 && element != LATHE_ELEMENT_BF16 && element != LATHE_ELEMENT_F16)
    throw Refusal{LATHE_REASON_UNSUPPORTED_TYPE, std::string("cache is of ") +
                                                     elementName(element) +
                                                     "; onednn takes f32, bf16 and f16"};
}

} // namespace

// The cache that comes out is the memory that went in: its value needs no place.
void Lowering::attend(Instruction instruction, const Value &cache) {
  instruction.kind = run_attention;
  instruction.real = op_.real("softmax_scale");
  instruction.heads.count = static_cast<uint64_t>(op_.integer("num_heads"));
  instruction.places[4] = indices("slots");
  instruction.places[5] = indices("positions");
  instruction.cache = cacheShape(cache);
  if (!fits(instruction))
    op_.makesNoSense("breaks the rules of its operands' shapes or attributes");
  instruction.cache.offset = emitter_.cacheOffset(cache, cacheBytes(instruction.cache));
  emit(instruction);
}

void Lowering::attention() {
  const Value cache = op_.operand("cache");
  checkCache(cache, LATHE_TYPE_KV_CACHE);
  Instruction instruction;
  instruction.heads.window = static_cast<uint64_t>(op_.integer("window"));
  instruction.places[1] = rows("query", op_.operand("query"));
  instruction.places[2] = rows("key", op_.operand("key"));
  instruction.places[3] = rows("value", op_.operand("value"));
  instruction.places[0] = result("result", op_.result("result"));
  attend(instruction, cache);
}

void Lowering::fold(InstructionKind kind, const Place &result, const Place &input,
                    const Place &kv_b) {
  const auto count = [&](const char *name) { return static_cast<uint64_t>(op_.integer(name)); };
  Instruction instruction{.kind = kind};
  instruction.heads = {count("num_heads"), 0, count("qk_nope_head_dim"), count("qk_rope_head_dim"),
                       count("v_head_dim")};
  instruction.places[0] = result;
  instruction.places[1] = input;
  instruction.places[2] = kv_b;
  emit(instruction);
}

void Lowering::absorbQuery() {
  const Place input = rows("input", op_.operand("input"));
  const Place kv_b = matrix("kv_b", op_.operand("kv_b"), element_f32);
  fold(run_absorb_query, result("result", op_.result("result")), input, kv_b);
}

void Lowering::expandValue() {
  const Place input = rows("input", op_.operand("input"));
  const Place kv_b = matrix("kv_b", op_.operand("kv_b"), element_f32);
  fold(run_expand_value, result("result", op_.result("result")), input, kv_b);
}

// Whatever form the op names, it is computed as the absorbed one: all forms have one meaning.
void Lowering::mlaAttention() {
  const Value cache = op_.operand("cache");
  checkCache(cache, LATHE_TYPE_LATENT_CACHE);
  const std::optional<Value> kv_b = op_.optionalOperand("kv_b");
  const Place query = rows("query", op_.operand("query"));
  const Place given = result("result", op_.result("result"));
  Instruction instruction;
  instruction.places[2] = rows("latent", op_.operand("latent"));
  if (!kv_b) {
    instruction.places[1] = query;
    instruction.places[0] = given;
    return attend(instruction, cache);
  }
  const Place folds = matrix("kv_b", *kv_b, element_f32);
  const auto heads = static_cast<uint64_t>(op_.integer("num_heads"));
  const CacheShape shape = cacheShape(cache);
  const auto columns = [&](uint64_t each) {
    const Shape wide = {query.shape.extent, query.shape.rows, heads * each};
    if (heads > kMaxExtent || each > kMaxExtent || !isSound(wide))
      throw Refusal{LATHE_REASON_SHAPE_LIMIT, "its heads over latents have more than " +
                                                  std::to_string(kMaxExtent) + " columns"};
    return emitter_.scratch(wide);
  };
  instruction.places[1] = columns(shape.key_dim);
  instruction.places[0] = columns(shape.value_dim);
  fold(run_absorb_query, instruction.places[1], query, folds);
  attend(instruction, cache);
  fold(run_expand_value, given, instruction.places[0], folds);
}

} // namespace onednn
