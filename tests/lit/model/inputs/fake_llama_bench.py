#!/usr/bin/env python3
"""Stands in for llama.cpp's llama-bench: knows its flags, prints its JSON, aborts where weights are packed."""
import json
import os
import sys

HELP = "  --repack <0|1>\n  -fa, --flash-attn <on|off|auto>\n  -lm, --load-mode <auto|none|mmap>"


def lengths(words, flag):
    return [int(word) for word in words[words.index(flag) + 1].split(",") if int(word)]


def main(words):
    if "--help" in words:
        return print(HELP)
    if "--version" in words:
        return print("version: fake (build 0)\nbuilt with nothing for nowhere")
    if words[words.index("--repack") + 1] == "1":
        print("ggml-backend.cpp:1: GGML_ASSERT(fake) failed", file=sys.stderr, flush=True)
        os.abort()
    with open(words[words.index("-m") + 1], "rb") as model:
        assert model.read(4) == b"GGUF"
    faster = 2 if words[words.index("--flash-attn") + 1] == "on" else 1
    warm_ups = [1.0] * (lengths(words, "-r")[0] - 1)
    tests = [{"n_prompt": length, "n_gen": 0, "samples_ts": warm_ups + [100.0 * faster]} for length in lengths(words, "-p")]
    tests += [{"n_prompt": 0, "n_gen": length, "samples_ts": warm_ups + [10.0 * faster]} for length in lengths(words, "-n")]
    print(json.dumps(tests))


main(sys.argv[1:])
