"""Checks files that are deployed: how large they are together, and that none loads a compiler.

usage: runtime_is_small.py LIMIT-IN-MEGABYTES FILE...
"""
import os
import re
import subprocess
import sys

COMPILER = re.compile(r"\b(libLLVM|libMLIR|libclang|liblld)[-.\w]*", re.IGNORECASE)


def main():
    limit, paths = float(sys.argv[1]) * 1e6, sys.argv[2:]
    sizes = {path: os.path.getsize(path) for path in paths}
    failed = sum(sizes.values()) >= limit
    for path, size in sizes.items():
        loaded = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
        compiler = sorted(set(match[0] for match in COMPILER.finditer(loaded)))
        missing = re.findall(r"(\S+) => not found", loaded)
        print(f"{path}: {size} bytes" + "".join(f"; loads {name}" for name in compiler) + "".join(f"; lacks {name}" for name in missing))
        failed |= bool(compiler or missing)
    print(f"{sum(sizes.values())} of {limit:.0f} bytes")
    return 1 if failed or not paths else 0


sys.exit(main())
