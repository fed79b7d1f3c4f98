"""The machine, in words for a table."""
import os
import pathlib
import platform
import re


def cpu_model():
    text = pathlib.Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    found = re.search(r"model name\s*: (.*)", text)
    return found[1] if found else platform.processor() or platform.machine()


def cores():
    return len(os.sched_getaffinity(0))


def memory(field):
    """Bytes of a line of /proc/meminfo: MemTotal, MemAvailable."""
    found = re.search(rf"{field}:\s*(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
    return 1024 * int(found[1])
