"""Puts faults into backends one by one, and demands that the conformance kit finds each.

usage: mutations.py [--only GLOB] [--plugins] [--kit PROGRAM] [--jobs N] [--out FILE]

A fault is an entry of a .json file of this folder:

    file       where it is
    from, to   the edit; `from` stands there exactly once, or `nth` says which one is meant (from 1)
    simulates  what somebody could have got wrong
    filter     the cases that look at it: few, so that a run takes seconds
    target     "null", or a level of x86; without it x86-64-v3, whose code is made fastest
    limit      seconds that a case may take, of a fault that hangs

Faults of x86 are put into a copy of the tree in build/mutations, with a build of its own; those of null into
a copy of its sources, which the C compiler makes a plugin of for the kit that `--kit` names. The tree itself
stays as it is. --plugins: only those of null, which take a second each.
"""
import argparse
import fnmatch
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
COPY = ROOT / "build" / "mutations"
BUILD = COPY / "build" / "release"


def say(text):
    print(text, flush=True)


def run(command, **more):
    environment = dict(os.environ, CCACHE_BASEDIR=os.environ.get("CCACHE_BASEDIR", str(ROOT.parent)))
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def copy_tree():
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    for name in names:
        source, target = ROOT / name, COPY / name
        if not source.is_file():
            continue
        data = source.read_bytes()
        if not target.is_file() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            shutil.copymode(source, target)


def build(jobs):
    command = ["ninja", "-C", str(BUILD), "lathe-conformance"] + (["-j", str(jobs)] if jobs else [])
    return run(command)


def edited(text, mutation):
    parts = text.split(mutation["from"])
    nth = mutation.get("nth")
    if len(parts) == 1 or (nth is None and len(parts) != 2) or (nth and nth >= len(parts)):
        raise SystemExit(f"{mutation['name']}: 'from' stands {len(parts) - 1} times in {mutation['file']}")
    nth = nth or 1
    return mutation["from"].join(parts[:nth]) + mutation["to"] + mutation["from"].join(parts[nth:])


def kit_command(mutation):
    return ["--filter", mutation["filter"]] + (["--limit", str(mutation["limit"])] if "limit" in mutation else [])


def judged(kit):
    if kit.returncode == 1 and "FAILED" in kit.stdout:
        return "found", kit.stdout.count("FAILED")
    return "not found", kit.stdout[-500:]


class Null:
    """Its few files of C, compiled at once."""

    def __init__(self, kit):
        self.kit = kit
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lathe-mutations"))

    def verdict(self, mutation, jobs):
        shutil.rmtree(self.folder)
        shutil.copytree(ROOT / "plugins" / "null", self.folder / "plugins" / "null")
        (self.folder / "include" / "lathe").mkdir(parents=True)
        shutil.copy(ROOT / "runtime" / "abi" / "plugin.h", self.folder / "include" / "lathe" / "plugin.h")
        path = self.folder / mutation["file"]
        path.write_text(edited(path.read_text(), mutation))
        library = self.folder / "liblathe_null.so"
        sources = sorted(str(source) for source in (self.folder / "plugins" / "null").glob("*.c"))
        built = run(["cc", "-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-I", str(self.folder / "include"),
                     "-o", str(library)] + sources + ["-lm"])
        if built.returncode:
            return "does not build", built.stdout[-2000:]
        return judged(run([self.kit, "--plugin", str(library)] + kit_command(mutation)))


class X86:
    """A copy of the tree: only what differs is written, so that the next run builds little."""

    def __init__(self, jobs):
        copy_tree()
        if not (BUILD / "build.ninja").is_file():
            configured = run(["cmake", "--preset", "release", "-DLATHE_TESTS=OFF", "-DLATHE_CONFORMANCE_LEVELS=x86-64-v3"],
                             cwd=COPY)
            if configured.returncode:
                raise SystemExit(configured.stdout)
        built = build(jobs)
        if built.returncode:
            raise SystemExit(built.stdout[-4000:])

    def verdict(self, mutation, jobs):
        path = COPY / mutation["file"]
        original = path.read_text()
        path.write_text(edited(original, mutation))
        try:
            built = build(jobs)
            if built.returncode:
                return "does not build", built.stdout[-2000:]
            kit = str(BUILD / "bin" / "lathe-conformance")
            return judged(run([kit, "--target", mutation.get("target", "x86-64-v3")] + kit_command(mutation)))
        finally:
            path.write_text(original)


def load(only, plugins):
    mutations = []
    for path in sorted(HERE.glob("*.json")):
        for mutation in json.loads(path.read_text()):
            chosen = fnmatch.fnmatch(mutation["name"], only) and (not plugins or mutation.get("target") == "null")
            mutations += [mutation] if chosen else []
    return mutations


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--only", default="*")
    parser.add_argument("--plugins", action="store_true")
    parser.add_argument("--kit", default=str(ROOT / "build" / "release" / "bin" / "lathe-conformance"))
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--out")
    options = parser.parse_args()
    mutations = load(options.only, options.plugins)
    backends = {}
    lines, missed = [], 0
    for mutation in mutations:
        start = time.monotonic()
        is_null = mutation.get("target") == "null"
        if is_null not in backends:
            backends[is_null] = Null(options.kit) if is_null else X86(options.jobs)
        what, detail = backends[is_null].verdict(mutation, options.jobs)
        missed += what != "found"
        cases = f" by {detail} cases" if what == "found" else ""
        line = f"{mutation['name']}: {what}{cases} ({mutation['simulates']})"
        lines.append(line)
        say(f"{line} in {time.monotonic() - start:.0f} s")
        if what != "found":
            say(str(detail))
    closing = f"{len(mutations)} faults, {len(mutations) - missed} found, {missed} not"
    say(closing)
    if options.out:
        pathlib.Path(options.out).write_text("\n".join(lines + [closing]) + "\n")
    return 1 if missed or not mutations else 0


if __name__ == "__main__":
    sys.exit(main())
