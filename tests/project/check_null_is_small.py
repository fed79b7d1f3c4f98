"""The plugin to copy stays small: all C of plugins/null is under 1,000 lines.

usage: check_null_is_small.py ROOT
"""
import pathlib
import sys

LIMIT = 1000


def main():
    folder = pathlib.Path(sys.argv[1]) / "plugins" / "null"
    sources = sorted(folder.glob("**/*.[ch]"))
    lines = {source.name: len(source.read_text().splitlines()) for source in sources}
    total = sum(lines.values())
    print(f"{total} lines: " + ", ".join(f"{name} {count}" for name, count in lines.items()))
    if not sources or total >= LIMIT:
        print(f"plugins/null should have 1 to {LIMIT - 1} lines: take something out of it before more goes in")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
