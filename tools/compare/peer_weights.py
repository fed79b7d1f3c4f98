"""Writes a peer model with random weights, streamed: it needs the room on the disk and no memory.

Sizes are those of tools/random_checkpoint.py, so that experts are used as evenly.
"""
import os
import random
import struct

from compare import gguf, peer_model

PIECE = 1 << 20  # bytes that are drawn once; a tensor is cut out of them from a random block on
WEIGHT, EMBEDDING, ONE = 0.0176, 1.08, 1.0  # root mean squares


# A type's lowest value has no positive counterpart. Drawn like the others it would give all weights a mean, each layer a
# direction that all tokens share, and all tokens the same experts; so it becomes zero.
EVEN_BYTES = bytes(0 if byte == 0x80 else byte for byte in range(256))
EVEN_NIBBLES = bytes((low or 8) | (high or 8) << 4 for high in range(16) for low in range(16))


def _half(value):
    return struct.pack("<e", value)


def _q8_0(draw, size):
    scale = _half(size / 73.3)  # the root mean square of the numbers that it multiplies
    return b"".join(scale + draw.randbytes(32).translate(EVEN_BYTES) for _ in range(PIECE // 34))


def _q4_0(draw, size):
    scale = _half(size / 4.18)
    return b"".join(scale + draw.randbytes(16).translate(EVEN_NIBBLES) for _ in range(PIECE // 18))


def _q6_k(draw, size):
    """Of the head alone, which no router follows: a mean does no harm."""
    tail = bytes([8] * 16) + _half(size / (8 * 18.5))
    return b"".join(draw.randbytes(192) + tail for _ in range(PIECE // 210))


def _floats(pattern):
    def numbers(draw, size):
        return b"".join(struct.pack(pattern, draw.gauss(0, size)) for _ in range(PIECE // 4))
    return numbers


def _bf16(draw, size):
    return b"".join(struct.pack("<f", draw.gauss(0, size))[2:] for _ in range(PIECE // 4))


DRAW = {"Q8_0": _q8_0, "Q4_0": _q4_0, "Q6_K": _q6_k, "BF16": _bf16, "F16": _floats("<e"), "F32": _floats("<f")}


class Pieces:
    def __init__(self, seed):
        self.draw, self.made = random.Random(seed), {}

    def stream(self, name, kind, shape):
        left = gguf.tensor_bytes(kind, shape)
        if len(shape) == 1:
            ones = "norm" in name or name.startswith("rope_factors")
            yield struct.pack("<f", 1.0 if ones else 0.0) * shape[0]
            return
        block, source = gguf.TYPES[kind][2], self._piece(kind, EMBEDDING if name == "token_embd.weight" else WEIGHT)
        half = len(source) // 2
        while left > 0:
            start, size = block * self.draw.randrange(half // block), min(left, half)
            yield source[start:start + size]
            left -= size

    def _piece(self, kind, size):
        """Twice the same bytes, so that a piece can begin anywhere."""
        if (kind, size) not in self.made:
            self.made[kind, size] = 2 * DRAW[kind](self.draw, size)
        return self.made[kind, size]


def write(path, config, kind, seed=1):
    """The file appears whole or not at all."""
    listed, unfinished = peer_model.tensors(config, kind), f"{path}.part"
    try:
        with open(unfinished, "wb") as file:
            file.write(gguf.header(peer_model.metadata(config, kind), listed))
            _write_data(file, Pieces(seed), listed)
        os.replace(unfinished, path)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)


def _write_data(file, pieces, listed):
    for name, kind, shape in listed:
        for piece in pieces.stream(name, kind, shape):
            file.write(piece)
        file.write(b"\0" * (-file.tell() % gguf.ALIGNMENT))


class PeerFile:
    """A file that write() made, whose attn_k_b and attn_v_b can be given another type where it stands."""

    def __init__(self, path, config, kind, seed=1):
        self.path, self.config, self.kind, self.seed = path, config, kind, seed
        self.latent = None

    def use(self, latent):
        """Writes header and latent tensors anew, unless they are as wanted."""
        if latent == self.latent or not peer_model.splits_latent(self.config):
            return
        listed = peer_model.tensors(self.config, self.kind, latent)
        header = gguf.header(peer_model.metadata(self.config, self.kind), listed)
        tail = [tensor for tensor in listed if tensor[0].endswith(peer_model.LATENT)]
        before = sum(gguf.padded(gguf.tensor_bytes(kind, shape)) for _, kind, shape in listed[:-len(tail)])
        with open(self.path, "r+b") as file:
            file.write(header)
            file.seek(len(header) + before)
            _write_data(file, Pieces(self.seed), tail)
            file.truncate()
        self.latent = latent

    def weight_bytes_per_token(self, latent):
        return peer_model.weight_bytes_per_token(self.config, self.kind, latent)
