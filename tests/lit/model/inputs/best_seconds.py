"""The shortest time of COUNT runs of a command, in seconds: best_seconds.py COUNT COMMAND..."""
import subprocess
import sys
import time


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


print(f"{min(seconds(sys.argv[2:]) for _ in range(int(sys.argv[1]))):.3f}")
