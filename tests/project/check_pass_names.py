"""Checks that a pass has one name in five places.

passes/STAGE/fuse_linear.cpp, its test tests/lit/passes/STAGE/fuse_linear.mlir, the flag --lathe-fuse-linear,
DEBUG_TYPE "lathe-fuse-linear" and `def FuseLinear` of passes/STAGE/passes.td. Takes the root of the source tree.
"""
import pathlib
import re
import sys


def names(found):
    """(stage, name) pairs, the name spelt as a file's stem."""
    return {(stage, name.replace("-", "_")) for stage, name in found}


def as_stem(camel):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", camel).lower()


def main():
    root = pathlib.Path(sys.argv[1])
    places = {place: set() for place in ("a file", "a DEBUG_TYPE", "a .td def", "a flag", "a lit test")}
    for path in sorted(root.glob("passes/*/*.cpp")):
        text, stage = path.read_text(), path.parent.name
        if "GEN_PASS_DEF_" in text:
            places["a file"].add((stage, path.stem))
        places["a DEBUG_TYPE"] |= names((stage, n) for n in re.findall(r'#define DEBUG_TYPE "lathe-([\w-]+)"', text))
    for path in sorted(root.glob("passes/*/passes.td")):
        stage, defs = path.parent.name, re.findall(r'^def (\w+) : Pass<"lathe-([\w-]+)"', path.read_text(), re.MULTILINE)
        places["a .td def"] |= {(stage, as_stem(camel)) for camel, _ in defs}
        places["a flag"] |= names((stage, flag) for _, flag in defs)
    stages = {stage for stage, _ in places["a file"]}
    for path in sorted(root.glob("tests/lit/passes/*/*.mlir")):
        if path.parent.name in stages:
            places["a lit test"].add((path.parent.name, path.stem))
    everything = set.union(*places.values())
    missing = [f"{stage}/{name} is not in {place}" for place, found in places.items() for stage, name in sorted(everything - found)]
    print("\n".join(missing) or f"{len(everything)} passes, each in five places")
    return 1 if missing or not everything else 0


sys.exit(main())
