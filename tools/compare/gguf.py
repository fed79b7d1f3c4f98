"""The GGUF format, version 3: what a file begins with. Pure Python, so that a clone needs nothing installed."""
import math
import struct

ALIGNMENT = 32
MAGIC, VERSION = b"GGUF", 3

# name: number in the file, elements of a block, bytes of a block
TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q8_0": (8, 32, 34), "Q6_K": (14, 256, 210),
         "BF16": (30, 1, 2)}
U32, F32, BOOL, STRING = 4, 6, 7, 8


def tensor_bytes(kind, shape):
    """Bytes of a tensor; the last extent of `shape` is the contiguous one."""
    _, elements, size = TYPES[kind]
    return math.prod(shape) // elements * size


def padded(size):
    return size + -size % ALIGNMENT


def _string(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(value):
    if isinstance(value, bool):
        return struct.pack("<I?", BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", U32, value)
    if isinstance(value, float):
        return struct.pack("<If", F32, value)
    return struct.pack("<I", STRING) + _string(value)


def header(metadata, tensors):
    """Bytes before the first tensor. tensors: (name, type, shape) in the order of their data."""
    text = MAGIC + struct.pack("<IQQ", VERSION, len(tensors), len(metadata))
    for key, value in metadata.items():
        text += _string(key) + _value(value)
    offset = 0
    for name, kind, shape in tensors:
        extents = [int(extent) for extent in reversed(shape)]
        text += _string(name) + struct.pack(f"<I{len(extents)}QIQ", len(extents), *extents, TYPES[kind][0], offset)
        offset += padded(tensor_bytes(kind, shape))
    return text + b"\0" * (-len(text) % ALIGNMENT)
