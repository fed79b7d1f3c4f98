"""Checks that the tree speaks of itself alone: no path of a machine, no place where work was planned,
no host from which a build could fetch something behind the back of tools/install_deps.sh.

Takes the root of the source tree.
"""
import pathlib
import re
import sys

WORDS = [
    (r"\.\./shared\b", "a path outside of the tree"),
    (r"/work/", "a path of one machine"),
    (r"(?<![\w.])/home/\w", "a path of one machine"),
    (r"\bissue #", "a number that says nothing to who reads it here"),
    (r"\b(pypi\.org|pythonhosted\.org|npmjs\.(org|com)|crates\.io|proxy\.golang\.org|rubygems\.org"
     r"|conda\.anaconda\.org|ghcr\.io|docker\.io|quay\.io|mcr\.microsoft\.com|deb\.debian\.org)\b", "a registry's host"),
    (r"\b(FetchContent_Declare|ExternalProject_Add)\b", "a download in the build"),
    (r"\b(TODO|FIXME|XXX)\b", "something left undone"),
]
SUFFIXES = {".h", ".cpp", ".c", ".td", ".fbs", ".py", ".sh", ".cmake", ".md", ".txt", ".mlir", ".test", ".yml", ".toml"}
SKIPPED = {"build", ".git", "data", "corpus"}  # what is built, and what others wrote


def files(root):
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and not SKIPPED & set(parts[:-1]) and (path.suffix in SUFFIXES or parts[0] == ".ci"):
            yield path


def main():
    root, own = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).resolve()
    wrong, count = [], 0
    for path in files(root):
        if path.resolve() == own:
            continue
        count += 1
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            for pattern, why in WORDS:
                if re.search(pattern, line):
                    wrong.append(f"{path.relative_to(root)}:{number}: {why}: {line.strip()}")
    print("\n".join(wrong) or f"{count} files speak of the tree alone")
    return 1 if wrong or not count else 0


sys.exit(main())
