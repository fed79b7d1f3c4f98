"""Checks every #include line against the table of layers: who may know whom.

Takes the root of the source tree. The first matching row of LAYERS holds for a file.
"""
import pathlib
import re
import sys

# folder: folders of ours that it may include, then libraries from outside. The standard library and
# the operating system's headers are open to all, but for "plain" folders: those get C's freestanding
# headers and what the row names. A plugin is built without this tree: it has the public header, the SDK
# of its vendor where its own row names one, and the files of its own folder, named from there.
LAYERS = [
    ("base", "base", "absl json"),
    ("text", "base text", "absl json pcre2 utf8proc"),
    ("artifact", "base artifact", "absl flatbuffers xxhash"),
    ("frontend", "base frontend", "absl json pcre2 xxhash"),
    ("ir", "ir", "mlir"),
    ("models", "base frontend ir models", "absl json mlir"),
    ("passes", "ir passes", "json mlir"),
    # The compiler's side of the kernels' folder: it hands their bitcode out.
    ("backends/x86/kernels/bitcode", "backends/x86/kernels", "mlir"),
    ("backends/x86/kernels", "backends/x86/kernels runtime/abi", "plain"),
    # Errors of the border become statuses in one place.
    ("backends/plugin", "base ir passes backends runtime/abi runtime/device/error", "absl mlir"),
    ("backends", "base artifact frontend ir passes backends runtime/abi", "absl json mlir lld xxhash"),
    ("runtime/abi", "runtime/abi", "plain"),
    ("runtime", "base artifact runtime", "absl"),
    ("plugins/npu/tests", "", "border json gtest"),
    ("plugins/npu", "", "border json"),
    ("plugins/onednn", "", "border onednn"),
    ("plugins", "", "border"),
    # Sees the compiler through one header that names nothing of it.
    ("tools/lathe", "base text artifact frontend runtime tools/lathe tools/compiler/api.h", "absl json cli11"),
    ("tools", "base text artifact frontend ir models passes backends runtime tools", "absl json cli11 mlir lld"),
]
FOLDERS = sorted({row[0].split("/")[0] for row in LAYERS})

LIBRARIES = [
    (r"(mlir|llvm|mlir-c|llvm-c)/", "mlir"),
    (r"lld/", "lld"),
    (r"absl/", "absl"),
    (r"lathe/plugin\.h$", "border"),
    (r"dnnl\.hpp$", "onednn"),
    (r"nlohmann/", "json"),
    (r"flatbuffers/", "flatbuffers"),
    (r"CLI/", "cli11"),
    (r"xxhash\.h$", "xxhash"),
    (r"pcre2\.h$", "pcre2"),
    (r"utf8proc\.h$", "utf8proc"),
    (r"(gtest|gmock)/", "gtest"),
]
SYSTEM = re.compile(r"(sys|linux|bits)/|[a-z_0-9]+(\.h)?$")
FREESTANDING = {"stddef.h", "stdint.h", "stdbool.h", "stdarg.h", "limits.h", "float.h", "immintrin.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def under(path, folder):
    return path == folder or path.startswith(folder + "/") or path.startswith(folder + ".")


def row_of(path):
    return next((row for row in LAYERS if under(path, row[0])), None)


def generated(path):
    """Made in the build tree, by the folder whose name it begins with."""
    return path.endswith((".inc", "_generated.h"))


def complaint(path, quoted, included, root):
    folder, ours, libraries = row_of(path)
    if included.split("/")[0] in FOLDERS:
        if not quoted or not (generated(included) or (root / included).is_file()):
            return "is no file of the tree"
        return None if any(under(included, other) for other in ours.split()) else f"is none of what {folder} may know: {ours}"
    library = next((name for pattern, name in LIBRARIES if re.match(pattern, included)), None)
    if library:
        return None if library in libraries.split() else f"is of {library}, which {folder} must not see"
    if quoted and folder.startswith("plugins"):
        folders = ((root / path).parent, root / "plugins" / path.split("/")[1])
        there = ".." not in included and any((beside / included).is_file() for beside in folders)
        return None if there else "is no file of the plugin's folder"
    if quoted:
        return "is not written from the root of the tree"
    if "plain" in libraries.split():
        return None if included in FREESTANDING else f"is not freestanding, as {folder} is"
    return None if SYSTEM.match(included) else "is of a library that the table of layers does not name"


def main():
    root = pathlib.Path(sys.argv[1])
    wrong, count = [], 0
    for folder in FOLDERS:
        for source in sorted((root / folder).rglob("*")):
            if source.suffix not in (".h", ".cpp", ".c", ".inc"):
                continue
            path = source.relative_to(root).as_posix()
            for bracket, included in INCLUDE.findall(source.read_text()):
                count += 1
                what = complaint(path, bracket == '"', included, root)
                if what:
                    wrong.append(f"{path}: {included} {what}")
    print("\n".join(wrong) or f"{count} includes, each of a layer that its file may know")
    return 1 if wrong or not count else 0


sys.exit(main())
