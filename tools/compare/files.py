"""Room on the disk, and files in the page cache."""
import os
import shutil

from compare.machine import memory
from compare.refusal import Refusal

CHUNK = 16 << 20


def need_room(folder, size, what):
    """Refuses where `size` bytes would leave less than 1 GB free."""
    free = shutil.disk_usage(folder).free
    if size + (1 << 30) > free:
        raise Refusal(f"{folder}: {what} needs {size / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
                      "make room or name another folder with --work-dir")


def fit_together(paths):
    """Whether the page cache can hold all of them beside each other."""
    return sum(os.path.getsize(path) for path in paths) < 0.9 * memory("MemAvailable")


def read_in(path):
    """Brings a file into the page cache, so that what follows is not timed on the disk."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(CHUNK)
        while file.readinto(buffer):
            pass
