"""What a comparison makes: checkpoints, artifacts, the peer's models. All of it is gone at the end, unless --keep."""
import os
import pathlib
import shutil
import sys

import random_checkpoint
from compare import files, gguf, lathe, peer_model, peer_weights
from compare.peer_weights import PeerFile
from compare.refusal import Refusal


class Made:
    def __init__(self, options):
        self.options, self.paths = options, []
        options.work_dir.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.options.keep:
            for path in self.paths:
                remove(path)

    def path(self, name):
        """Noted first, so that a broken-off run leaves nothing half-made."""
        path = self.options.work_dir / f"{self.options.shape}-{name}"
        self.paths.append(path)
        return path

    def checkpoint(self, kind):
        if self.options.checkpoint:
            return self.options.checkpoint
        config, path = random_checkpoint.config_of(self.options.shape, kind == "fp8"), self.path(kind)
        files.need_room(self.options.work_dir, random_checkpoint.total_bytes(config), f"the {kind} checkpoint")
        note(f"writing {path}")
        random_checkpoint.write_folder(path, config, seed=1)
        return path

    def artifact(self, program, kind, checkpoint):
        """Compiled anew each time: it is the compiler of now that is measured."""
        options, path = self.options, self.path(f"{kind}.lathe")
        config = random_checkpoint.config_of(options.shape, kind == "fp8")
        files.need_room(options.work_dir, random_checkpoint.total_bytes(config), "the artifact")
        note(f"compiling {path}")
        program.compile(checkpoint, path, lathe.compile_options(config, options.activations, options.weights, options.target))
        return path

    def peer_model(self, kind):
        config = random_checkpoint.SHAPES[self.options.shape]
        if self.options.peer_model:
            _refuse_other_shape(self.options.peer_model, config, kind, self.options.shape)
            return PeerFile(self.options.peer_model, config, kind)
        path, size = self.path(f"{kind.lower()}.gguf"), peer_model.file_bytes(config, kind)
        files.need_room(self.options.work_dir, size, f"the peer's model in {kind}")
        note(f"writing {path}")
        peer_weights.write(path, config, kind)
        return PeerFile(path, config, kind)

    def done_with(self, path):
        if path in self.paths and not self.options.keep:
            remove(path)


def _refuse_other_shape(path, config, kind, shape):
    """By its size, which no two of ours share."""
    header = len(gguf.header(peer_model.metadata(config, kind), peer_model.tensors(config, kind)))
    if os.path.getsize(path) not in [header + peer_model.file_bytes(config, kind, latent) for latent in (kind, "BF16")]:
        raise Refusal(f"{path}: is no {shape} in {kind} as this tool writes it; give one that --keep left, or none")


def remove(path):
    path = pathlib.Path(path)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def note(text):
    print(text, file=sys.stderr, flush=True)
