"""Puts faults into backends one by one, and demands that the conformance kit finds each.

usage: mutations.py [--only GLOB] [--backend NAME] [--kit PROGRAM] [--jobs N] [--out FILE] [--dry-run]

A fault is an entry of a .json file of this folder:

    file       where it is
    from, to   the edit; `from` stands there exactly once, or `nth` says which one is meant (from 1)
    simulates  what somebody could have got wrong
    filter     the cases that look at it: few, so that a run takes seconds
    target     "null", "npu:DEVICE", or a level of x86; without it x86-64-v3, whose code is made fastest
    says       what the kit has to print beside the failure; without it any failure will do
    limit      seconds that a case may take, of a fault that hangs

Faults of x86 are put into a copy of the tree in build/mutations, those of npu into a copy of that plugin alone in
build/mutations_npu, each with a build of its own; those of null into a copy of its sources, which the C compiler
makes a plugin of. The tree itself stays as it is. Plugins are tried with the kit that `--kit` names.
--backend null, npu or x86: only those of that one; null takes a second each, npu five.
--dry-run: only looks whether each edit finds its place in today's code.
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


def say(text):
    print(text, flush=True)


def run(command, **more):
    environment = dict(os.environ, CCACHE_BASEDIR=os.environ.get("CCACHE_BASEDIR", str(ROOT.parent)))
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def tracked(parts):
    names = subprocess.run(["git", "ls-files", "--"] + parts, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [name for name in names.stdout.split() if (ROOT / name).is_file()]


def write(path, data):
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def edited(text, mutation):
    parts = text.split(mutation["from"])
    nth = mutation.get("nth")
    if len(parts) == 1 or (nth is None and len(parts) != 2) or (nth and nth >= len(parts)):
        raise SystemExit(f"{mutation['name']}: 'from' stands {len(parts) - 1} times in {mutation['file']}")
    nth = nth or 1
    return mutation["from"].join(parts[:nth]) + mutation["to"] + mutation["from"].join(parts[nth:])


def kit_command(mutation):
    return ["--filter", mutation["filter"]] + (["--limit", str(mutation["limit"])] if "limit" in mutation else [])


def judged(kit, says):
    if kit.returncode == 1 and "FAILED" in kit.stdout and says in kit.stdout:
        return "found", kit.stdout.count("FAILED")
    return "not found", kit.stdout[-1500:]


class Null:
    """Its few files of C, compiled at once."""

    def __init__(self, options):
        self.kit = options.kit
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lathe-mutations"))

    def verdict(self, mutation):
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
        return judged(run([self.kit, "--plugin", str(library)] + kit_command(mutation)), mutation.get("says", ""))


class Copied:
    """Some of the tree, with a build of its own: only what differs is written, so that the next run builds little."""

    def __init__(self, folder, build, goal, jobs):
        self.folder, self.build = folder, build
        self.command = ["ninja", "-C", str(build), goal] + (["-j", str(jobs)] if jobs else [])
        self.copy()
        if not (build / "build.ninja").is_file():
            configured = self.configure()
            if configured.returncode:
                raise SystemExit(configured.stdout)
        built = run(self.command)
        if built.returncode:
            raise SystemExit(built.stdout[-4000:])

    def copy(self):
        for name in tracked(self.parts):
            write(self.folder / name, (ROOT / name).read_bytes())
            shutil.copymode(ROOT / name, self.folder / name)

    def verdict(self, mutation):
        path = self.folder / mutation["file"]
        original = path.read_text()
        path.write_text(edited(original, mutation))
        try:
            built = run(self.command)
            if built.returncode:
                return "does not build", built.stdout[-2000:]
            return judged(run(self.kit(mutation) + kit_command(mutation)), mutation.get("says", ""))
        finally:
            path.write_text(original)


class X86(Copied):
    parts = ["."]

    def __init__(self, options):
        folder = ROOT / "build" / "mutations"
        super().__init__(folder, folder / "build" / "release", "lathe-conformance", options.jobs)

    def configure(self):
        return run(["cmake", "--preset", "release", "-DLATHE_TESTS=OFF", "-DLATHE_CONFORMANCE_LEVELS=x86-64-v3"],
                   cwd=self.folder)

    def kit(self, mutation):
        return [str(self.build / "bin" / "lathe-conformance"), "--target", mutation.get("target", "x86-64-v3")]


class Npu(Copied):
    """The plugin as a project of its own, which takes of the tree what an SDK has."""

    parts = ["plugins/npu", "cmake", "runtime/abi/plugin.h"]
    project = """cmake_minimum_required(VERSION 3.25)
project(mutations LANGUAGES CXX)
set(LATHE_INCLUDE_DIR ${CMAKE_SOURCE_DIR}/include)
include(cmake/LathePlugin.cmake)
add_subdirectory(plugins/npu)
"""

    def __init__(self, options):
        folder = ROOT / "build" / "mutations_npu"
        self.program = options.kit
        super().__init__(folder, folder / "build", "lathe_npu", options.jobs)

    def copy(self):
        super().copy()
        write(self.folder / "CMakeLists.txt", self.project.encode())
        write(self.folder / "include" / "lathe" / "plugin.h", (ROOT / "runtime" / "abi" / "plugin.h").read_bytes())

    def configure(self):
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        return run(["cmake", "-S", str(self.folder), "-B", str(self.build), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                    "-DNPU_TESTS=OFF"] + launcher)

    def kit(self, mutation):
        library = self.build / "plugins" / "npu" / "liblathe_npu.so"
        return [self.program, "--plugin", str(library), "--target", mutation["target"].partition(":")[2]]


BACKENDS = {"null": Null, "npu": Npu, "x86": X86}


def backend_of(mutation):
    return mutation.get("target", "x86").partition(":")[0].partition("-")[0]


def load(only, backend):
    mutations = []
    for path in sorted(HERE.glob("*.json")):
        for mutation in json.loads(path.read_text()):
            chosen = fnmatch.fnmatch(mutation["name"], only) and backend in (None, backend_of(mutation))
            mutations += [mutation] if chosen else []
    return mutations


def has_place(mutation):
    try:
        edited((ROOT / mutation["file"]).read_text(), mutation)
    except SystemExit as wrong:
        say(wrong)
        return False
    return True


def dry_run(mutations):
    placed = [has_place(mutation) for mutation in mutations]
    say(f"{sum(placed)} of {len(placed)} faults have their places")
    return 0 if placed and all(placed) else 1


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--only", default="*")
    parser.add_argument("--backend", choices=BACKENDS)
    parser.add_argument("--kit", default=str(ROOT / "build" / "release" / "bin" / "lathe-conformance"))
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--out")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    mutations = load(options.only, options.backend)
    if options.dry_run:
        return dry_run(mutations)
    backends = {}
    lines, missed = [], 0
    for mutation in mutations:
        start = time.monotonic()
        name = backend_of(mutation)
        if name not in backends:
            backends[name] = BACKENDS[name](options)
        what, detail = backends[name].verdict(mutation)
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
