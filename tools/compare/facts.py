"""What a reader must know beside the numbers: machine, versions, settings, how it was measured."""
import json

import random_checkpoint
from compare import load_check, machine
from compare.refusal import Refusal

MINIMUM = ("--prompt-length", 1, "--decode", 1, "--repetitions", 1, "--json")


def lines(chosen, program, peers, measured, loads):
    found = [("machine", f"{machine.cpu_model()}, {machine.cores()} cores, {machine.memory('MemTotal') / 1e9:.0f} GB, "
                         f"level {program.level()}"),
             ("shape", f"{chosen.shape}, random weights; {chosen.threads} threads; medians of {chosen.rounds} rounds in turns"),
             ("read bandwidth", f"{measured.bandwidth() / 1e9:.1f} GB/s, that of `lathe bench`")]
    found.append(("Lathe", f"{program.version()}{_compile_flags(chosen)}"))
    found += [("llama.cpp", f"{peer.program}: {peer.version()}" if len(peers) > 1 else peer.version()) for peer in peers]
    for entry in measured.entries:
        found += [(f"llama.cpp's settings for {entry.name}, {test}", name) for test, name in entry.setting.items()]
    found += [(f"weights read for a decoded token, {entry.side} {entry.name}", f"{entry.weight_bytes_per_token / 1e9:.3g} GB")
              for entry in measured.entries]
    return found + [(f"experts {number}", load_check.text(load)) for number, load in enumerate(loads, 1)]


def _compile_flags(chosen):
    names = ["target"] if chosen.artifact else ["activations", "weights", "target"]
    flags = [f"--{name} {value}" for name in names if (value := getattr(chosen, name))]
    artifact = f", artifact {chosen.artifact}" if chosen.artifact else ""
    return artifact + "".join(f", {flag}" for flag in flags)


def checked_artifact(program, chosen):
    """Refuses an artifact of another shape: its rates would stand under a wrong name."""
    found = json.loads(program.run("inspect", chosen.artifact, "--json"))
    config = random_checkpoint.SHAPES[chosen.shape]
    for ours, theirs in (("hidden_size", "hidden_size"), ("num_layers", "num_hidden_layers"), ("vocab_size", "vocab_size")):
        if found[ours] != config[theirs]:
            raise Refusal(f"{chosen.artifact}: {ours} is {found[ours]}, {chosen.shape} has {config[theirs]}; "
                          "name the artifact's shape with --shape")
    return chosen.artifact


def bandwidth(program, made, threads):
    """Where no artifact is measured: that of the smallest one."""
    folder, artifact = made.path("probe"), made.path("probe.lathe")
    if not artifact.exists():
        random_checkpoint.write_folder(folder, random_checkpoint.config_of("tiny", False), seed=1)
        program.compile(folder, artifact, [])
    return json.loads(program.run("bench", artifact, *MINIMUM, "--threads", threads))["read_bandwidth_bytes_per_second"]
