"""Checks that a constraint wears one label in three places.

(Cn) in an op's description, `// OP_cN` in a verifier, a function @OP_cN (or @OP_cN_WHAT) in
tests/lit/ir/verify/OP.mlir. OP is tile_add for tile.add. Takes the root of the source tree.
"""
import pathlib
import re
import sys


DIALECTS = [("ir/lathe", "*_ops.td", ""), ("ir/tile", "ops.td", "tile_")]  # folder, files of ops, prefix of labels


def described(root):
    """Labels out of the .td files: an op's name, then the (Cn) that begin a line of its list."""
    labels = set()
    for path, prefix in ((path, prefix) for folder, files, prefix in DIALECTS for path in sorted((root / folder).glob(files))):
        text = path.read_text()
        # Bodies of ops that share a class are told apart by their own def line.
        defs = list(re.finditer(r'^def \w+Op : \w+<"(\w+)"', text, re.MULTILINE))
        for op, following in zip(defs, defs[1:] + [None]):
            body = text[op.end() : following.start() if following else len(text)]
            labels |= {f"{prefix}{op[1]}_c{n}" for n in re.findall(r"^\s*- \(C(\d+)\)", body, re.MULTILINE)}
    return labels


def verified(root):
    labels = set()
    for path in sorted(path for folder, *_ in DIALECTS for path in (root / folder).glob("verify*.cpp")):
        for comment in re.findall(r"//(.*)", path.read_text()):
            labels |= set(re.findall(r"\b[a-z0-9_]+_c\d+\b", comment))
    return labels


def tested(root):
    labels = set()
    for path in sorted((root / "tests/lit/ir/verify").glob("*.mlir")):
        labels |= set(re.findall(rf"@({path.stem}_c\d+)(?:_\w+)?\(", path.read_text()))
    return labels


def main():
    root = pathlib.Path(sys.argv[1])
    places = {"a description": described(root), "a verifier": verified(root), "a negative test": tested(root)}
    everything = set.union(*places.values())
    missing = [f"{label} is not in {place}" for place, labels in places.items() for label in sorted(everything - labels)]
    print("\n".join(missing) or f"{len(everything)} labels, each in three places")
    return 1 if missing or not everything else 0


sys.exit(main())
