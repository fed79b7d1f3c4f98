"""Puts faults into backends one by one, and demands that the conformance kit finds each.

usage: mutations.py [--only GLOB] [--plugins] [--sound] [--jobs N] [--out FILE]

Works on a copy of the tree in build/mutations, with a build of its own beside it; the tree itself stays
as it is. A fault is an entry of a .json file of this folder:

    file       where it is
    from, to   the edit; `from` stands there exactly once, or `nth` says which one is meant (from 1)
    simulates  what somebody could have got wrong
    limit      seconds that a case may take, of a fault that hangs
    filter     the cases that look at it: short, so that a run takes seconds
    target     "null", or a level of x86; without it x86-64-v3, whose code is made fastest

--plugins: only those of plugins, which take a second each.
"""
import argparse
import fnmatch
import json
import os
import pathlib
import shutil
import subprocess
import sys
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
    """Only what differs is written, so that the next run builds little."""
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
    command = ["ninja", "-C", str(BUILD), "lathe-conformance", "lathe_null"] + (["-j", str(jobs)] if jobs else [])
    return run(command)


def edited(text, mutation):
    parts = text.split(mutation["from"])
    nth = mutation.get("nth")
    if len(parts) == 1 or (nth is None and len(parts) != 2) or (nth and nth >= len(parts)):
        raise SystemExit(f"{mutation['name']}: 'from' stands {len(parts) - 1} times in {mutation['file']}")
    nth = nth or 1
    return mutation["from"].join(parts[:nth]) + mutation["to"] + mutation["from"].join(parts[nth:])


def kit_command(mutation):
    target = mutation.get("target", "x86-64-v3")
    command = [str(BUILD / "bin" / "lathe-conformance"), "--filter", mutation["filter"]]
    command += ["--limit", str(mutation["limit"])] if "limit" in mutation else []
    if target == "null":
        return command + ["--plugin", str(BUILD / "lib" / "liblathe_null.so")]
    return command + ["--target", target]


def verdict(mutation, jobs):
    """What became of a fault: "found", or what went wrong."""
    path = COPY / mutation["file"]
    original = path.read_text()
    path.write_text(edited(original, mutation))
    try:
        built = build(jobs)
        if built.returncode:
            return "does not build", built.stdout[-2000:]
        kit = run(kit_command(mutation))
    finally:
        path.write_text(original)
    if kit.returncode == 1 and "FAILED" in kit.stdout:
        return "found", kit.stdout.count("FAILED")
    return "not found", kit.stdout[-500:]


def load(only, plugins):
    mutations = []
    for path in sorted(HERE.glob("*.json")):
        for mutation in json.loads(path.read_text()):
            chosen = fnmatch.fnmatch(mutation["name"], only) and (not plugins or mutation.get("target") == "null")
            mutations += [mutation] if chosen else []
    return mutations


def check_sound(mutations):
    """Without a fault every filter has cases, and all of them pass."""
    for command in sorted({tuple(kit_command(m)) for m in mutations}):
        kit = run(list(command))
        if kit.returncode or " 0 passed" in kit.stdout:
            raise SystemExit(f"without any fault: {' '.join(command)}\n{kit.stdout[-2000:]}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--only", default="*")
    parser.add_argument("--plugins", action="store_true")
    parser.add_argument("--sound", action="store_true", help="look first whether all filters pass without a fault")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--out")
    options = parser.parse_args()
    mutations = load(options.only, options.plugins)
    copy_tree()
    if not (BUILD / "build.ninja").is_file():
        configured = run(["cmake", "--preset", "release", "-DLATHE_TESTS=OFF", "-DLATHE_CONFORMANCE_LEVELS=x86-64-v3"], cwd=COPY)
        if configured.returncode:
            raise SystemExit(configured.stdout)
    built = build(options.jobs)
    if built.returncode:
        raise SystemExit(built.stdout[-4000:])
    if options.sound:
        check_sound(mutations)
    lines, missed = [], 0
    for mutation in mutations:
        start = time.monotonic()
        what, detail = verdict(mutation, options.jobs)
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
