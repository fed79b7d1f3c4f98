// The lathe dialect, its attributes and its types.
#ifndef LATHE_IR_DIALECT_TD
#define LATHE_IR_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/CommonTypeConstraints.td"
include "mlir/IR/OpBase.td"

def Lathe_Dialect : Dialect {
  let name = "lathe";
  let cppNamespace = "::lathe::ir";
  let summary = "Language models: latent attention, expert routing and FP8 as operations";
  let description = [{
    A step of a model is a function over T rows, one row a new token. T is the first extent of every
    activation, `?` in a portable step; all other extents are constants. A row carries a slot (the
    sequence that it belongs to) and a position in it, so that several sequences can share a step.

    Activations are tensors of f32 unless an op says otherwise; a linear weight is `[out, in]` and
    `y = x W^T + b`, as checkpoints store it. Sums are made in f32 or wider. Weights are references
    (`lathe.weight`) and never copies. State (caches) is operands and results.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    void registerAttributes();
    void registerOps();
    void registerBytecode();
  }];
}

//===--- enums ---===//

class Lathe_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::lathe::ir";
  let genSpecializedAttr = 0;
}
class Lathe_EnumAttr<I32EnumAttr enum, string mnemonic> : EnumAttr<Lathe_Dialect, enum, mnemonic> {
  let assemblyFormat = "$value"; // prints a space first, so ops suppress their own with ``
}

def Lathe_RopeLayout : Lathe_Enum<"RopeLayout", "Which two elements of a head make a rotated pair", [
    I32EnumAttrCase<"half", 0>,    // (i, i + d/2): NeoX, rotate_half
    I32EnumAttrCase<"pairs", 1>]>; // (2i, 2i + 1): GPT-J, interleaved
def Lathe_RopeLayoutAttr : Lathe_EnumAttr<Lathe_RopeLayout, "rope_layout">;

def Lathe_MlaForm : Lathe_Enum<"MlaForm", "How latent attention is computed", [
    I32EnumAttrCase<"unspecified", 0>,  // portable IR: the meaning only
    I32EnumAttrCase<"materialised", 1>, // keys and values of each head are expanded from the latents
    I32EnumAttrCase<"absorbed", 2>]>;   // kv_b is folded into the query and the output
def Lathe_MlaFormAttr : Lathe_EnumAttr<Lathe_MlaForm, "mla_form">;

def Lathe_RouteScore : Lathe_Enum<"RouteScore", "How router logits become scores", [
    I32EnumAttrCase<"softmax", 0>, I32EnumAttrCase<"sigmoid", 1>]>;
def Lathe_RouteScoreAttr : Lathe_EnumAttr<Lathe_RouteScore, "route_score">;

def Lathe_GroupScore : Lathe_Enum<"GroupScore", "How a group of experts is scored", [
    I32EnumAttrCase<"max", 0>,         // DeepSeek-V2
    I32EnumAttrCase<"top2_sum", 1>]>;  // DeepSeek-V3
def Lathe_GroupScoreAttr : Lathe_EnumAttr<Lathe_GroupScore, "group_score">;

def Lathe_Activations : Lathe_Enum<"Activations", "The form in which a product takes its activations", [
    I32EnumAttrCase<"f32", 0>,
    I32EnumAttrCase<"bf16", 1>,
    I32EnumAttrCase<"w8a8", 2>,          // e4m3, one f32 scale a row and 128 columns
    I32EnumAttrCase<"w8a8_ue8m0", 3>,    // the same, scales rounded up to powers of two
    I32EnumAttrCase<"w8a8_i8", 4>]>;     // i8, one f32 scale a row and 32 columns
def Lathe_ActivationsAttr : Lathe_EnumAttr<Lathe_Activations, "activations">;

//===--- attributes ---===//

class Lathe_Attr<string name, string mnemonic_> : AttrDef<Lathe_Dialect, name> {
  let mnemonic = mnemonic_;
}

def Lathe_TensorRefAttr : Lathe_Attr<"TensorRef", "tensor_ref"> {
  let summary = "A tensor of the checkpoint, by name and content hash";
  let description = [{
    `hash` is XXH3-128 over element type, shape and bytes as 32 hex digits, or empty where the
    content has not been read. Example: `#lathe.tensor_ref<"model.norm.weight", "0123...">`.
  }];
  let parameters = (ins StringRefParameter<"name in the checkpoint">:$name,
                        StringRefParameter<"content hash", "\"\"">:$hash);
  let assemblyFormat = "`<` $name (`,` $hash^)? `>`";
}

def Lathe_RoutingAttr : Lathe_Attr<"Routing", "routing"> {
  let summary = "How tokens choose their experts";
  let description = [{
    `scores = score(logits)`; selection uses `scores + bias` where there is a bias, else `scores`.
    With `n_group > 1` the experts form equal groups in order; each group is scored by `group_score`
    over its selection values, the `topk_group` best groups are kept and the experts of the others
    count as -inf. The `top_k` best experts are chosen, best first, ties to the lower index. Their
    weights are their *unbiased* scores, divided by (their sum + 1e-20) if `renormalize`, then
    multiplied by `scale`. (DeepSeek-V2 and V3 papers; Hugging Face's modeling files.)
  }];
  let parameters = (ins EnumParameter<Lathe_RouteScore>:$score, "int64_t":$top_k,
                        DefaultValuedParameter<"int64_t", "1">:$n_group,
                        DefaultValuedParameter<"int64_t", "1">:$topk_group,
                        DefaultValuedParameter<"::lathe::ir::GroupScore",
                                               "::lathe::ir::GroupScore::max">:$group_score,
                        DefaultValuedParameter<"bool", "false">:$renormalize,
                        DefaultValuedParameter<"::mlir::FloatAttr",
                          "::mlir::FloatAttr::get(::mlir::Float32Type::get($_ctxt), 1.0)">:$scale);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===--- types ---===//

class Lathe_Type<string name, string mnemonic_> : TypeDef<Lathe_Dialect, name> {
  let mnemonic = mnemonic_;
}

def Lathe_QuantizedType : Lathe_Type<"Quantized", "quantized"> {
  let summary = "Codes with block scales; says its whole layout";
  let description = [{
    `value[.., i, j] = code[.., i, j] * scale[.., i / R, j / C]` for blocks of R rows and C columns of
    the last two dimensions; blocks at the edges may be partial. A scale per tensor is one block as
    large as the matrix, a scale per output channel is R = 1 and C = the whole row.
    `!lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>` is DeepSeek's weight;
    `!lathe.quantized<?x384xf8E4M3FN, block<1x128xf8E8M0FNU>>` is a dynamically quantised activation;
    `!lathe.quantized<160x384xi4, block<1x32xf16>>` is a weight in 4.5 bits. Codes are e4m3, e5m2, i8 or
    i4, the last two in two's complement; scales are f32, bf16, f16 or f8E8M0FNU (a power of two).
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType,
                        "int64_t":$blockRows, "int64_t":$blockColumns, "::mlir::Type":$scaleType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Lathe_LatentCacheType : Lathe_Type<"LatentCache", "latent_cache"> {
  let summary = "Latent attention's state of one layer: [slots, context, kv_lora_rank + rope_dim]";
  let parameters = (ins "int64_t":$slots, "int64_t":$max_context, "int64_t":$kv_lora_rank,
                        "int64_t":$rope_dim, "::mlir::Type":$element);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Lathe_KvCacheType : Lathe_Type<"KvCache", "kv_cache"> {
  let summary = "Keys and values of one layer: [slots, context, kv_heads, key_dim | value_dim]";
  let parameters = (ins "int64_t":$slots, "int64_t":$max_context, "int64_t":$kv_heads,
                        "int64_t":$key_dim, "int64_t":$value_dim, "::mlir::Type":$element);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===--- what ops take ---===//

def Lathe_FloatMatrix : 2DTensorOf<[F32, BF16, F16]>;
def Lathe_Rows : 2DTensorOf<[F32]>; // [T, columns]
def Lathe_RoundedRows : 2DTensorOf<[F32, BF16]>;
def Lathe_FloatVector : 1DTensorOf<[F32, BF16, F16]>;
def Lathe_Indices : 1DTensorOf<[I32]>;
def Lathe_IndexMatrix : 2DTensorOf<[I32]>; // [T, K]
def Lathe_FloatStack : 3DTensorOf<[F32, BF16, F16]>; // [E, rows, columns]
def Lathe_AnyRows : AnyTypeOf<[Lathe_FloatMatrix, Lathe_QuantizedType], "rows as floats or codes">;
def Lathe_AnyMatrix : AnyTypeOf<[Lathe_FloatMatrix, Lathe_QuantizedType], "weight as floats or codes">;
def Lathe_AnyStack : AnyTypeOf<[Lathe_FloatStack, Lathe_QuantizedType], "expert weights">;
def Lathe_AnyCache : AnyTypeOf<[Lathe_LatentCacheType, Lathe_KvCacheType], "a cache">;

#endif
