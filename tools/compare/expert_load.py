"""How evenly random weights use their experts: the model's own steps, in numpy, on random tokens.

Random weights need not route like trained ones. Where attention or a router gives all tokens one common
direction, they all choose the same few experts, a prefill then reads a part of the weights only, and its rate says nothing.
So the first layers are run as the model runs them, and each router's choices are counted.
"""
import math
import random

import numpy as np

TOKENS, LAYERS = 128, 8  # of one context; layers from the first on, routed or not


def counts_of(weights, config, tokens=TOKENS, layers=LAYERS, seed=1):
    """How often each expert is chosen by random tokens in one context: an array [routed layers, experts]."""
    draw = random.Random(seed)
    hidden = weights.embeddings([draw.randrange(config["vocab_size"]) for _ in range(tokens)])
    counts = []
    for layer in range(min(layers, config["num_hidden_layers"])):
        at = weights.layer(layer)
        hidden = hidden + _attention(at, config, _norm(hidden))
        rows = _norm(hidden)
        if layer < config["first_k_dense_replace"]:
            hidden = hidden + _mlp(at, "", rows)
            continue
        chosen, share = _route(at, config, rows)
        counts.append(np.bincount(chosen.ravel(), minlength=config["n_routed_experts"]))
        hidden = hidden + _mlp(at, "shared", rows) + _experts(at, rows, chosen, share)
    return np.array(counts)


def summary(counts, per_token):
    """What a reader wants to know of counts_of, with what an even choice by chance would give."""
    tokens = int(counts[0].sum()) // per_token
    experts = counts.shape[1]
    return {"tokens": tokens, "layers": len(counts), "experts": experts,
            "used": round(float((counts > 0).sum(1).mean()), 1),
            "used_by_chance": round(experts * (1 - (1 - per_token / experts) ** tokens), 1),
            "largest_over_mean": round(float((counts.max(1) / counts.mean(1)).mean()), 2),
            "largest_over_mean_by_chance": round(_largest_by_chance(tokens, experts, per_token), 2)}


def is_even(load):
    """Near enough to chance that a prefill reads the weights that it should, and no expert is a bottleneck."""
    return (load["used"] >= 0.9 * load["used_by_chance"]
            and load["largest_over_mean"] <= 2 * load["largest_over_mean_by_chance"])


def _largest_by_chance(tokens, experts, per_token, draws=20):
    draw = random.Random(1)
    largest = 0
    for _ in range(draws):
        counts = [0] * experts
        for _ in range(tokens):
            for expert in draw.sample(range(experts), per_token):
                counts[expert] += 1
        largest += max(counts) * experts / (tokens * per_token)
    return largest / draws


def _norm(rows, epsilon=1e-6):
    return rows / np.sqrt((rows * rows).mean(-1, keepdims=True) + epsilon)


def _silu(x):
    return x / (1 + np.exp(-x))


def _mlp(at, which, rows):
    gate, up, down = at.mlp(which)
    return (_silu(rows @ gate.T) * (rows @ up.T)) @ down.T


def _rope(x):
    """x [tokens, heads, dim]; pairs are neighbours."""
    angles = np.outer(np.arange(len(x)), 10000.0 ** (-np.arange(0, x.shape[-1], 2) / x.shape[-1]))[:, None]
    even, odd, cos, sin = x[..., 0::2], x[..., 1::2], np.cos(angles), np.sin(angles)
    return np.stack([even * cos - odd * sin, even * sin + odd * cos], -1).reshape(x.shape).astype(np.float32)


def _attention(at, config, rows):
    heads, rank = config["num_attention_heads"], config["kv_lora_rank"]
    nope, size = config["qk_nope_head_dim"], config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
    query = rows @ at.matrix("q").T if not config["q_lora_rank"] else _norm(rows @ at.matrix("q_a").T) @ at.matrix("q_b").T
    query = query.reshape(len(rows), heads, size)
    latent = rows @ at.matrix("kv_a").T
    normed = _norm(latent[:, :rank])
    key_up, value_up = at.kv_b()  # [heads, nope, rank], [heads, v, rank]
    scores = np.einsum("thd,hdr,sr->hts", query[..., :nope], key_up, normed, optimize=True)
    scores += np.einsum("thd,sd->hts", _rope(query[..., nope:]), _rope(latent[:, None, rank:])[:, 0], optimize=True)
    scores = np.where(np.tri(len(rows), dtype=bool), scores / math.sqrt(size), -np.inf)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    scores /= scores.sum(-1, keepdims=True)
    mixed = np.einsum("hts,sr,hvr->thv", scores, normed, value_up, optimize=True)
    return mixed.reshape(len(rows), -1) @ at.matrix("o").T


def _route(at, config, rows):
    """The chosen experts [tokens, k] and the share that each has in the sum."""
    logits, bias = rows @ at.matrix("router").T, at.router_bias()
    if config["scoring_func"] == "sigmoid":
        scores = 1 / (1 + np.exp(-logits))
    else:
        scores = np.exp(logits - logits.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
    selection = _only_best_groups(scores + bias, config)
    chosen = np.argsort(-selection, axis=-1, kind="stable")[:, :config["num_experts_per_tok"]]
    share = np.take_along_axis(scores, chosen, -1)
    if config["norm_topk_prob"]:
        share = share / share.sum(-1, keepdims=True)
    return chosen, share * config["routed_scaling_factor"]


def _only_best_groups(selection, config):
    groups = config["n_group"]
    if groups == 1:
        return selection
    grouped = selection.reshape(len(selection), groups, -1)
    value = np.sort(grouped, -1)[..., -2:].sum(-1)
    worst = np.argsort(value, -1)[:, :groups - config["topk_group"]]
    grouped = grouped.copy()
    np.put_along_axis(grouped, worst[..., None], -np.inf, 1)
    return grouped.reshape(selection.shape)


def _experts(at, rows, chosen, share):
    result = np.zeros_like(rows)
    for expert in np.unique(chosen):
        token, place = np.nonzero(chosen == expert)
        result[token] += share[token, place, None] * _mlp(at, int(expert), rows[token])
    return result
