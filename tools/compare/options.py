"""The command line: words to checked options."""
import argparse
import pathlib

from compare.refusal import Refusal
from random_checkpoint import SHAPES

LATHE_FORMATS = ("fp8", "bf16")
PEER_FORMATS = {"q8_0-peer": "Q8_0", "q4_0-peer": "Q4_0", "bf16-peer": "BF16"}
ROOT = pathlib.Path(__file__).resolve().parents[2]


def parser(description):
    made = argparse.ArgumentParser(prog="tools/compare.py", description=description, allow_abbrev=False,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--shape", metavar="S", help=", ".join(sorted(SHAPES)))
    add("--format", metavar="F,F", default="fp8,q8_0-peer", type=_words,
        help=f"columns: {', '.join(LATHE_FORMATS)} (checkpoints for Lathe), {', '.join(PEER_FORMATS)} (%(default)s)")
    add("--prompt", metavar="N,N", default="128,512", type=_lengths, help="tokens of the timed prefills (%(default)s)")
    add("--decode", metavar="N", default=64, type=_positive, help="tokens of the timed decode (%(default)s)")
    add("--threads", metavar="N", default=None, type=_positive, help="of both sides (all cores)")
    add("--rounds", metavar="N", default=3, type=_positive, help="turns of each side (%(default)s)")
    add("--activations", choices=["f32", "bf16", "w8a8"],
        help="of Lathe's compile (w8a8 for q8_0 and q4_0, bf16 for the rest and where there is AMX: llama.cpp rounds its rows, too)")
    add("--weights", metavar="W", help="of Lathe's compile: q8_0, q4_0, ...")
    add("--target", metavar="T", help="which code of Lathe's runs: a level of x86 (the best that this machine has); the peer is to be built for the same")
    add("--json", metavar="FILE", type=pathlib.Path, help="writes all numbers as one object")
    add("--work-dir", metavar="DIR", type=pathlib.Path, default=ROOT / "build/compare", help="for what is made (build/compare)")
    add("--keep", action="store_true", help="leave what was made: checkpoint, artifact, the peer's model")
    add("--checkpoint", metavar="DIR", type=pathlib.Path, help="use this checkpoint for Lathe; it is left alone")
    add("--artifact", metavar="FILE", type=pathlib.Path, help="use this compiled artifact; it is left alone")
    add("--peer-model", metavar="FILE", type=pathlib.Path, help="use this GGUF that --keep left; it stays, two small tensors of it may change their type")
    add("--lathe", metavar="PATH", type=pathlib.Path, default=ROOT / "build/release/bin/lathe", help="the program (build/release/bin/lathe)")
    add("--peer-bench", metavar="PATH", type=pathlib.Path, action="append",
        help="the peer (llama-bench in --work-dir); repeatable: the best is taken")
    add("--get-peer", metavar="DIR", type=pathlib.Path, help="builds llama-bench there and ends; ten minutes on two cores")
    return made


def activations(weights, level):
    """Where none are asked for: llama.cpp rounds rows to 8 bits, or beside weights in bf16 to bf16, and tiles of bf16 are AMX's fastest."""
    return "w8a8" if weights in ("q8_0", "q4_0") and level != "x86-amx" else "bf16"


def _words(text):
    return [word for word in text.split(",") if word]


def _positive(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number from 1 on")
    return int(text)


def _lengths(text):
    return [_positive(word) for word in _words(text)]


def check(options):
    """Refuses what is no matter of spelling, before anything is made."""
    if options.shape not in SHAPES:
        raise Refusal(f"--shape {options.shape}: no such shape; it should be one of {', '.join(sorted(SHAPES))}")
    for word in options.format:
        if word not in LATHE_FORMATS and word not in PEER_FORMATS:
            raise Refusal(f"--format {word}: no such format; it should be one of {', '.join([*LATHE_FORMATS, *PEER_FORMATS])}")
    if len(set(options.format)) < len(options.format) or not options.format:
        raise Refusal("--format: each format once, and at least one")
    longest, room = max([*options.prompt, options.decode]), SHAPES[options.shape]["max_position_embeddings"]
    if longest > room:
        raise Refusal(f"--prompt, --decode: {longest} tokens; {options.shape} has a context of {room}")
    if options.json and not options.json.parent.is_dir():
        raise Refusal(f"--json {options.json}: no folder {options.json.parent}; make it, or name a file elsewhere")
    for flag, value in (("--activations", options.activations), ("--weights", options.weights)):
        if options.artifact and value:
            raise Refusal(f"{flag} {value}: is for a compile, and {options.artifact} is compiled; leave out {flag} or --artifact")
    _one_column(options, "--artifact", options.artifact, LATHE_FORMATS)
    _one_column(options, "--checkpoint", options.checkpoint, LATHE_FORMATS)
    _one_column(options, "--peer-model", options.peer_model, PEER_FORMATS)


def _one_column(options, flag, path, formats):
    if path is None:
        return
    if not path.exists():
        raise Refusal(f"{path}: no such file; it should be what {flag} is for")
    if sum(word in formats for word in options.format) != 1:
        raise Refusal(f"{flag} {path}: is for one column; --format should have one of {', '.join(formats)}")
