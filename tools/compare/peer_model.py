"""The same shape for llama.cpp: keys and tensors as its converter and its quantiser write them.

deepseek2 has kv_b split in two (attn_k_b transposed, attn_v_b), without which llama.cpp attends in the slow form. The two
stand at the end of the file, so that they alone can be written anew in another type: see peer_settings.py.
"""
from compare import gguf

FILE_TYPES = {"BF16": 32, "Q8_0": 7, "Q4_0": 2}
ARCHITECTURES = {"deepseek_v2": "deepseek2", "deepseek_v3": "deepseek2", "minicpm3": "minicpm3", "qwen2": "qwen2"}
GATING = {"softmax": 1, "sigmoid": 2}


def metadata(config, kind):
    """Key and value of everything that llama.cpp asks for, without a tokenizer."""
    arch = ARCHITECTURES[config["model_type"]]
    own = _common_keys(config)
    if "kv_lora_rank" in config:
        own |= _latent_keys(config, arch)
    if arch == "deepseek2":
        own |= _expert_keys(config)
    return {"general.architecture": arch, "general.name": "random weights", "general.file_type": FILE_TYPES[kind],
            "general.quantization_version": 2, "tokenizer.ggml.model": "no_vocab",
            } | {f"{arch}.{key}": value for key, value in own.items()}


def _common_keys(config):
    return {"vocab_size": config["vocab_size"], "context_length": config["max_position_embeddings"],
            "embedding_length": config["hidden_size"], "block_count": config["num_hidden_layers"],
            "feed_forward_length": config["intermediate_size"], "attention.head_count": config["num_attention_heads"],
            "attention.head_count_kv": config["num_key_value_heads"], "rope.freq_base": config["rope_theta"],
            "attention.layer_norm_rms_epsilon": config["rms_norm_eps"]}


def _latent_keys(config, arch):
    rank, rope = config["kv_lora_rank"], config["qk_rope_head_dim"]
    keys = {"attention.kv_lora_rank": rank, "rope.dimension_count": rope,
            "attention.key_length": config["qk_nope_head_dim"] + rope}
    if config["q_lora_rank"]:
        keys["attention.q_lora_rank"] = config["q_lora_rank"]
    if arch == "deepseek2":  # one head over the latent, as the absorbed form has it
        keys |= {"attention.head_count_kv": 1, "attention.key_length": rank + rope, "attention.value_length": rank,
                 "attention.key_length_mla": config["qk_nope_head_dim"] + rope,
                 "attention.value_length_mla": config["v_head_dim"]}
    return keys


def _expert_keys(config):
    return {"expert_count": config["n_routed_experts"], "expert_used_count": config["num_experts_per_tok"],
            "expert_group_count": config["n_group"], "expert_group_used_count": config["topk_group"],
            "expert_gating_func": GATING[config["scoring_func"]],
            "leading_dense_block_count": config["first_k_dense_replace"],
            "expert_feed_forward_length": config["moe_intermediate_size"],
            "expert_shared_count": config["n_shared_experts"],
            "expert_weights_scale": float(config["routed_scaling_factor"]),
            "expert_weights_norm": config["norm_topk_prob"]}


LATENT = ("attn_k_b.weight", "attn_v_b.weight")


def tensors(config, kind, latent=None):
    """(name, type, shape) of every tensor, in the order of the file; the last extent is the contiguous one.
    latent: the type of attn_k_b and attn_v_b, where it is not `kind`.
    """
    listed = [(name, _type(name, shape, latent if latent and name.endswith(LATENT) else kind,
                           config["tie_word_embeddings"]), shape) for name, shape in _shapes(config)]
    return sorted(listed, key=lambda tensor: tensor[0].endswith(LATENT))


def splits_latent(config):
    return ARCHITECTURES[config["model_type"]] == "deepseek2"


def _type(name, shape, kind, tied):
    """What llama.cpp's quantiser gives a tensor in a file of `kind`."""
    if len(shape) == 1 or name.endswith("ffn_gate_inp.weight"):
        return "F32"
    if kind == "Q4_0" and (name == "output.weight" or tied and name == "token_embd.weight"):
        kind = "Q6_K" if shape[-1] % gguf.TYPES["Q6_K"][1] == 0 else "Q8_0"
    return kind if shape[-1] % gguf.TYPES[kind][1] == 0 else "F16"


def _shapes(config):
    hidden, vocabulary = config["hidden_size"], config["vocab_size"]
    yield "token_embd.weight", [vocabulary, hidden]
    if "rope_scaling" in config:  # LongRoPE: a factor for each pair
        pairs = len(config["rope_scaling"]["long_factor"])
        yield "rope_factors_long.weight", [pairs]
        yield "rope_factors_short.weight", [pairs]
    for layer in range(config["num_hidden_layers"]):
        for name, shape in _layer(config, layer):
            yield f"blk.{layer}.{name}", shape
    yield "output_norm.weight", [hidden]
    if not config["tie_word_embeddings"]:
        yield "output.weight", [vocabulary, hidden]


def _layer(config, layer):
    hidden = config["hidden_size"]
    yield "attn_norm.weight", [hidden]
    yield from (_latent_attention if "kv_lora_rank" in config else _attention)(config)
    yield "ffn_norm.weight", [hidden]
    if "n_routed_experts" in config and layer >= config["first_k_dense_replace"]:
        yield from _experts(config)
    else:
        yield from _mlp("", [], config["intermediate_size"], hidden)


def _mlp(suffix, experts, inner, hidden):
    yield f"ffn_gate{suffix}.weight", [*experts, inner, hidden]
    yield f"ffn_up{suffix}.weight", [*experts, inner, hidden]
    yield f"ffn_down{suffix}.weight", [*experts, hidden, inner]


def _experts(config):
    hidden, count, inner = config["hidden_size"], config["n_routed_experts"], config["moe_intermediate_size"]
    yield "ffn_gate_inp.weight", [count, hidden]
    if config["scoring_func"] == "sigmoid":
        yield "exp_probs_b.bias", [count]
    yield from _mlp("_exps", [count], inner, hidden)
    yield from _mlp("_shexp", [], inner * config["n_shared_experts"], hidden)


def _latent_attention(config):
    hidden, heads, rank = config["hidden_size"], config["num_attention_heads"], config["kv_lora_rank"]
    nope, rope, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    if config["q_lora_rank"]:
        yield "attn_q_a.weight", [config["q_lora_rank"], hidden]
        yield "attn_q_a_norm.weight", [config["q_lora_rank"]]
        yield "attn_q_b.weight", [heads * (nope + rope), config["q_lora_rank"]]
    else:
        yield "attn_q.weight", [heads * (nope + rope), hidden]
    yield "attn_kv_a_mqa.weight", [rank + rope, hidden]
    yield "attn_kv_a_norm.weight", [rank]
    if splits_latent(config):
        yield "attn_k_b.weight", [heads, rank, nope]
        yield "attn_v_b.weight", [heads, value, rank]
    else:
        yield "attn_kv_b.weight", [heads * (nope + value), rank]
    yield "attn_output.weight", [hidden, heads * value]


def _attention(config):
    hidden, heads, kv_heads = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    size = hidden // heads
    for name, out in (("q", heads * size), ("k", kv_heads * size), ("v", kv_heads * size)):
        yield f"attn_{name}.weight", [out, hidden]
        yield f"attn_{name}.bias", [out]
    yield "attn_output.weight", [hidden, heads * size]


def file_bytes(config, kind, latent=None):
    """Without the header."""
    return sum(gguf.padded(gguf.tensor_bytes(type_, shape)) for _, type_, shape in tensors(config, kind, latent))


def weight_bytes_per_token(config, kind, latent=None):
    """What one decoded token reads: chosen experts only; of an embedding that is no head, nothing to speak of."""
    total = 0.0
    for name, type_, shape in tensors(config, kind, latent):
        if name == "token_embd.weight" and not config["tie_word_embeddings"]:
            continue
        part = config["num_experts_per_tok"] / config["n_routed_experts"] if "_exps." in name else 1
        total += part * gguf.tensor_bytes(type_, shape)
    return round(total)
