"""Whether both sides' random weights use their experts as a real model would; what was checked is said, also where nothing was."""
import pathlib

import random_checkpoint
from compare.made import note


def of_checkpoint(folder, shape, kind):
    name = f"Lathe's {kind}"
    config = random_checkpoint.config_of(shape, kind == "fp8")
    if folder is None:
        return {"of": name, "not_checked": "an artifact was given without its checkpoint"}
    return _check(name, config, lambda weights: weights.HfWeights(pathlib.Path(folder), config))


def of_peer_model(model):
    model.use(model.kind)
    return _check(f"llama.cpp's {model.kind}", model.config,
                  lambda weights: weights.GgufWeights(model.path, model.config, model.kind))


def _check(name, config, opened):
    if "n_routed_experts" not in config:
        return {"of": name, "not_checked": "the shape has no experts"}
    try:
        from compare import checkpoint_weights, expert_load
    except ImportError:
        note("expert load is not checked: numpy is not installed")
        return {"of": name, "not_checked": "numpy is not installed"}
    note(f"counting the experts of {name}")
    load = expert_load.summary(expert_load.counts_of(opened(checkpoint_weights), config), config["num_experts_per_tok"])
    even = expert_load.is_even(load)
    if not even:
        note(f"warning: experts of {name} are used unevenly; rates of prefill say little; write the file anew with this tool")
    return {"of": name, "even": even} | load


def text(load):
    if "not_checked" in load:
        return f"{load['of']}: not checked, {load['not_checked']}"
    return (f"{load['of']}: {'even' if load['even'] else 'UNEVEN'}; {load['tokens']} random tokens use {load['used']} of "
            f"{load['experts']} experts (by chance {load['used_by_chance']}), the most used has "
            f"{load['largest_over_mean']} times the mean (by chance {load['largest_over_mean_by_chance']}); "
            f"reckoned with numpy through the first layers, {load['layers']} of them routed")
