"""Weights of a checkpoint as f32 arrays, one at a time: what expert_load.py computes with, under names of its own.

Both sides' files are read, because both must route evenly.
"""
import json

import numpy as np

from compare import gguf, peer_model

BLOCK = 128


def e4m3_values():
    code = np.arange(256)
    exponent, fraction = (code >> 3) & 15, code & 7
    value = np.where(exponent == 0, fraction * 2.0 ** -9, (8 + fraction) * 2.0 ** (exponent - 10.0))
    return np.where(code & 128, -value, value).astype(np.float32)


def bf16_values(words):
    return (words.astype(np.uint32) << 16).view(np.float32)


class HfWeights:
    """A folder with one model.safetensors in BF16, F32 or FP8 with a scale for each 128x128 block."""

    def __init__(self, folder, config):
        self.config, self.e4m3 = config, e4m3_values()
        self.data = np.memmap(folder / "model.safetensors", np.uint8, "r")
        size = int(self.data[:8].view(np.uint64)[0])
        self.header = json.loads(self.data[8:8 + size].tobytes())
        self.begin = 8 + size

    def raw(self, name, dtype):
        begin, end = self.header[name]["data_offsets"]
        return self.data[self.begin + begin:self.begin + end].view(dtype).reshape(self.header[name]["shape"])

    def tensor(self, name):
        kind = self.header[name]["dtype"]
        if kind == "F32":
            return self.raw(name, np.float32)
        if kind == "BF16":
            return bf16_values(self.raw(name, np.uint16))
        values, scales = self.e4m3[self.raw(name, np.uint8)], self.raw(name + "_scale_inv", np.float32)
        for row in range(scales.shape[0]):
            values[row * BLOCK:(row + 1) * BLOCK] *= np.repeat(scales[row], BLOCK)[:values.shape[1]]
        return values

    def embeddings(self, tokens):
        return bf16_values(self.raw("model.embed_tokens.weight", np.uint16)[tokens])

    def layer(self, index):
        return HfLayer(self, f"model.layers.{index}.")


class HfLayer:
    NAMES = {"q": "self_attn.q_proj", "q_a": "self_attn.q_a_proj", "q_b": "self_attn.q_b_proj",
             "kv_a": "self_attn.kv_a_proj_with_mqa", "o": "self_attn.o_proj", "router": "mlp.gate"}

    def __init__(self, weights, prefix):
        self.weights, self.prefix = weights, prefix

    def matrix(self, name):
        return self.weights.tensor(self.prefix + self.NAMES[name] + ".weight")

    def router_bias(self):
        name = self.prefix + "mlp.gate.e_score_correction_bias"
        return self.weights.tensor(name) if name in self.weights.header else 0

    def kv_b(self):
        config = self.weights.config
        whole = self.weights.tensor(self.prefix + "self_attn.kv_b_proj.weight")
        whole = whole.reshape(config["num_attention_heads"], -1, config["kv_lora_rank"])
        return whole[:, :config["qk_nope_head_dim"]], whole[:, config["qk_nope_head_dim"]:]

    def mlp(self, which):
        folder = {"": "mlp.", "shared": "mlp.shared_experts."}.get(which, f"mlp.experts.{which}.")
        return [self.weights.tensor(f"{self.prefix}{folder}{part}_proj.weight") for part in ("gate", "up", "down")]


def _blocks(kind, data):
    """Blocks of a GGUF type as f32, a row each."""
    if kind in ("F32", "F16", "BF16"):
        return {"F32": lambda: data.view(np.float32), "F16": lambda: data.view(np.float16).astype(np.float32),
                "BF16": lambda: bf16_values(data.view(np.uint16))}[kind]()
    blocks = data.reshape(-1, gguf.TYPES[kind][2])
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    if kind == "Q8_0":
        return blocks[:, 2:].view(np.int8) * scale
    low, high = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
    return (np.concatenate([low, high], 1).astype(np.float32) - 8) * scale


class GgufWeights:
    """A model of peer_weights.py, which says itself where each tensor stands."""

    def __init__(self, path, config, kind):
        self.config = config
        listed = peer_model.tensors(config, kind)
        self.data = np.memmap(path, np.uint8, "r")
        self.places, offset = {}, len(gguf.header(peer_model.metadata(config, kind), listed))
        for name, type_, shape in listed:
            self.places[name] = type_, shape, offset
            offset += gguf.padded(gguf.tensor_bytes(type_, shape))

    def part(self, name, index=None):
        """A tensor, or what stands at `index` of its first extent."""
        kind, shape, offset = self.places[name]
        if index is not None:
            shape = shape[1:]
            offset += index * gguf.tensor_bytes(kind, shape)
        data = self.data[offset:offset + gguf.tensor_bytes(kind, shape)]
        return _blocks(kind, data).reshape(shape)

    def embeddings(self, tokens):
        return np.stack([self.part("token_embd.weight", token) for token in tokens])

    def layer(self, index):
        return GgufLayer(self, f"blk.{index}.")


class GgufLayer:
    NAMES = {"q": "attn_q", "q_a": "attn_q_a", "q_b": "attn_q_b", "kv_a": "attn_kv_a_mqa", "o": "attn_output",
             "router": "ffn_gate_inp"}

    def __init__(self, weights, prefix):
        self.weights, self.prefix = weights, prefix

    def matrix(self, name):
        return self.weights.part(f"{self.prefix}{self.NAMES[name]}.weight")

    def router_bias(self):
        name = self.prefix + "exp_probs_b.bias"
        return self.weights.part(name) if name in self.weights.places else 0

    def kv_b(self):
        return (self.weights.part(self.prefix + "attn_k_b.weight").transpose(0, 2, 1),
                self.weights.part(self.prefix + "attn_v_b.weight"))

    def mlp(self, which):
        suffix, index = {"": ("", None), "shared": ("_shexp", None)}.get(which, ("_exps", which))
        return [self.weights.part(f"{self.prefix}ffn_{part}{suffix}.weight", index) for part in ("gate", "up", "down")]
