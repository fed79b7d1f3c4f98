#!/usr/bin/env python3
"""Writes a Hugging Face checkpoint of a published shape with random weights, for timing.

    tools/random_checkpoint.py --shape v2-lite --format fp8 /tmp/v2-lite

The file is streamed: it needs the room on the disk and no memory. Weights have the size that training
gives them, so logits are finite. Embeddings are larger: with small ones the first attention would drown a token in the
mean of all, and all tokens would choose the same experts (tools/compare.py counts). There is no tokenizer.
"""
import argparse
import json
import math
import os
import pathlib
import random
import sys

LLAMA = {"hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "attention_bias": False}
DEEPSEEK = LLAMA | {"moe_layer_freq": 1, "attention_dropout": 0.0}
SHAPES = {
    "v2-lite": DEEPSEEK | {
        "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "vocab_size": 102400,
        "hidden_size": 2048, "num_hidden_layers": 27, "num_attention_heads": 16, "num_key_value_heads": 16,
        "q_lora_rank": None, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "intermediate_size": 10944, "moe_intermediate_size": 1408, "n_routed_experts": 64, "n_shared_experts": 2,
        "num_experts_per_tok": 6, "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1, "topk_method": "greedy",
        "scoring_func": "softmax", "norm_topk_prob": False, "routed_scaling_factor": 1.0,
        "max_position_embeddings": 32768, "tie_word_embeddings": False},
    "v3-4-layers": DEEPSEEK | {
        "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "vocab_size": 129280,
        "hidden_size": 7168, "num_hidden_layers": 4, "num_attention_heads": 128, "num_key_value_heads": 128,
        "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1,
        "num_experts_per_tok": 8, "first_k_dense_replace": 3, "n_group": 8, "topk_group": 4,
        "topk_method": "noaux_tc", "scoring_func": "sigmoid", "norm_topk_prob": True, "routed_scaling_factor": 2.5,
        "max_position_embeddings": 16384, "tie_word_embeddings": False},
    "tiny": DEEPSEEK | {  # to try the tool itself
        "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "vocab_size": 300,
        "hidden_size": 200, "num_hidden_layers": 2, "num_attention_heads": 3, "num_key_value_heads": 3,
        "q_lora_rank": 40, "kv_lora_rank": 32, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16,
        "intermediate_size": 150, "moe_intermediate_size": 48, "n_routed_experts": 6, "n_shared_experts": 1,
        "num_experts_per_tok": 2, "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1,
        "topk_method": "noaux_tc", "scoring_func": "sigmoid", "norm_topk_prob": True, "routed_scaling_factor": 1.0,
        "max_position_embeddings": 256, "tie_word_embeddings": False},
    "dense-0.5b": LLAMA | {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 151936, "hidden_size": 896,
        "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2, "intermediate_size": 4864,
        "max_position_embeddings": 32768, "tie_word_embeddings": True},
    "minicpm3": LLAMA | {  # MiniCPM3-4B
        "architectures": ["MiniCPM3ForCausalLM"], "model_type": "minicpm3", "vocab_size": 73448, "hidden_size": 2560,
        "num_hidden_layers": 62, "num_attention_heads": 40, "num_key_value_heads": 40, "q_lora_rank": 768,
        "kv_lora_rank": 256, "qk_nope_head_dim": 64, "qk_rope_head_dim": 32, "v_head_dim": 64,
        "intermediate_size": 6400, "rms_norm_eps": 1e-5, "scale_emb": 12, "scale_depth": 1.4, "dim_model_base": 256,
        "rope_scaling": {"type": "longrope", "short_factor": [1.0] * 16, "long_factor": [1.0] * 16,
                         "original_max_position_embeddings": 32768},
        "max_position_embeddings": 32768, "tie_word_embeddings": True},
}
BLOCK = 128
PIECE = 1 << 20  # bytes that are drawn once; a tensor is cut out of them from a random place on


def tensors(config, fp8):
    """(name, dtype, shape) of every tensor, in the order of the file."""
    hidden = config["hidden_size"]

    def linear(name, out, inner, bias=False):
        yield name + ".weight", "F8_E4M3" if fp8 else "BF16", [out, inner]
        if fp8:
            yield name + ".weight_scale_inv", "F32", [-(-out // BLOCK), -(-inner // BLOCK)]
        if bias:
            yield name + ".bias", "BF16", [out]

    def norm(name, size):
        yield name + ".weight", "BF16", [size]

    def mlp(name, inner):
        yield from linear(name + ".gate_proj", inner, hidden)
        yield from linear(name + ".up_proj", inner, hidden)
        yield from linear(name + ".down_proj", hidden, inner)

    def latent_attention(name):
        heads, rank, rope = config["num_attention_heads"], config["kv_lora_rank"], config["qk_rope_head_dim"]
        query = heads * (config["qk_nope_head_dim"] + rope)
        if config["q_lora_rank"]:
            yield from linear(name + ".q_a_proj", config["q_lora_rank"], hidden)
            yield from norm(name + ".q_a_layernorm", config["q_lora_rank"])
            yield from linear(name + ".q_b_proj", query, config["q_lora_rank"])
        else:
            yield from linear(name + ".q_proj", query, hidden)
        yield from linear(name + ".kv_a_proj_with_mqa", rank + rope, hidden)
        yield from norm(name + ".kv_a_layernorm", rank)
        yield from linear(name + ".kv_b_proj", heads * (config["qk_nope_head_dim"] + config["v_head_dim"]), rank)
        yield from linear(name + ".o_proj", hidden, heads * config["v_head_dim"])

    def attention(name):
        heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
        size, bias = hidden // heads, config["model_type"] == "qwen2"
        yield from linear(name + ".q_proj", heads * size, hidden, bias)
        yield from linear(name + ".k_proj", kv_heads * size, hidden, bias)
        yield from linear(name + ".v_proj", kv_heads * size, hidden, bias)
        yield from linear(name + ".o_proj", hidden, heads * size)

    def experts(name):
        count, inner = config["n_routed_experts"], config["moe_intermediate_size"]
        yield name + ".gate.weight", "BF16", [count, hidden]
        if config["scoring_func"] == "sigmoid":
            yield name + ".gate.e_score_correction_bias", "F32", [count]
        for expert in range(count):
            yield from mlp(f"{name}.experts.{expert}", inner)
        yield from mlp(name + ".shared_experts", inner * config["n_shared_experts"])

    yield "model.embed_tokens.weight", "BF16", [config["vocab_size"], hidden]
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}"
        yield from norm(name + ".input_layernorm", hidden)
        yield from (latent_attention if "kv_lora_rank" in config else attention)(name + ".self_attn")
        yield from norm(name + ".post_attention_layernorm", hidden)
        routed = "n_routed_experts" in config and layer >= config["first_k_dense_replace"]
        yield from experts(name + ".mlp") if routed else mlp(name + ".mlp", config["intermediate_size"])
    yield from norm("model.norm", hidden)
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", "BF16", [config["vocab_size"], hidden]


def bf16_numbers(codes, high_byte):
    """Of either sign and any fraction; the exponent's last bit is drawn, the others are those of `high_byte`."""
    return b"".join(bytes((low, (high & 0x80) | high_byte)) for low, high in zip(codes[0::2], codes[1::2])) * 2


class Weights:
    """Bytes of tensors, out of pieces that were drawn once: numbers of either sign around `size`."""

    BYTES = {"F8_E4M3": 1, "BF16": 2, "F32": 4}

    def __init__(self, seed):
        self.random = random.Random(seed)
        codes = bytearray(self.random.randbytes(PIECE))
        # e4m3 from 2^-3 to 2^1, which a scale of 0.02 makes as large as weights are
        self.codes = bytes((code & 0x80) | 0x20 + (code & 0x1F) for code in codes) * 2
        self.bf16 = bf16_numbers(codes, 0x3C)  # from 2^-7 to 2^-5
        self.embeddings = bf16_numbers(codes, 0x3F)  # from 2^-1 to 2^1

    def stream(self, name, dtype, count):
        if dtype == "F32":
            value = b"\x0a\xd7\xa3\x3c" if name.endswith("scale_inv") else b"\0\0\0\0"  # 0.02, or no bias
            yield value * count
        elif name.endswith("norm.weight"):
            yield b"\x80\x3f" * count  # 1
        else:
            numbers = self.embeddings if "embed_tokens" in name else self.bf16
            yield from self.pieces(self.codes if dtype == "F8_E4M3" else numbers, count * self.BYTES[dtype])

    def pieces(self, source, left):
        while left > 0:
            start, size = 2 * self.random.randrange(PIECE // 2), min(left, PIECE)
            yield source[start:start + size]
            left -= size


def config_of(shape, fp8, layers=None):
    """What config.json says."""
    config = SHAPES[shape] | {"torch_dtype": "bfloat16"}
    if layers:
        config["num_hidden_layers"] = layers
    if fp8:
        config["quantization_config"] = {"quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic",
                                         "weight_block_size": [BLOCK, BLOCK]}
    return config


def tensor_bytes(dtype, shape):
    return math.prod(shape) * Weights.BYTES[dtype]


def total_bytes(config):
    return sum(tensor_bytes(dtype, shape) for _, dtype, shape in tensors(config, "quantization_config" in config))


def write(folder, config, seed):
    listed, header, offset = list(tensors(config, "quantization_config" in config)), {}, 0
    for name, dtype, shape in listed:
        size = tensor_bytes(dtype, shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    weights, done = Weights(seed), 0
    with open(folder / "model.safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for index, (name, dtype, _) in enumerate(listed):
            begin, end = header[name]["data_offsets"]
            for piece in weights.stream(name, dtype, (end - begin) // Weights.BYTES[dtype]):
                done += file.write(piece)
            if sys.stderr.isatty() and index % 50 == 0:
                print(f"\r{done / offset:4.0%} of {offset / 1e9:.1f} GB", end="", file=sys.stderr)
    return offset


def write_folder(folder, config, seed):
    os.makedirs(folder, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    return write(folder, config, seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--shape", choices=sorted(SHAPES), required=True)
    parser.add_argument("--format", choices=["fp8", "bf16"], default="bf16")
    parser.add_argument("--layers", type=int, help="fewer or more layers than the shape has")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    config = config_of(arguments.shape, arguments.format == "fp8", arguments.layers)
    size = write_folder(arguments.folder, config, arguments.seed)
    print(f"{arguments.folder}: {size / 1e9:.2f} GB", file=sys.stderr)


if __name__ == "__main__":
    main()
