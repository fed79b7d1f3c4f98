#!/usr/bin/env python3
"""Measures what the compiler's cost model knows of this machine, and writes it into its table.

  tools/measure_costs.py [--bench build/release/tests/lathe_kernel_bench] [--table backends/x86/costs.json]

Runs the lines of lathe_kernel_bench that the table is made of, once for each feature level that the machine
has, and replaces those levels' entries. What it has not is kept as it was, and said. Takes some minutes;
the machine should have nothing else to do. backends/x86/README.md says what the numbers mean.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LEVELS = ["x86-64-v3", "x86-64-v4", "x86-vnni", "x86-amx"]
ROWS = [4, 12, 24, 48, 128, 512]
LINES = "/(linear/|mla_absorbed|mla_materialised|attention/|region)"
UNIT_DIGITS = 3  # measured numbers are not worth more


def rounded(value):
    return float(f"{value:.{UNIT_DIGITS}g}")


class Level:
    """What the rounds of the benchmark say of a level: for each line its FLOPs, bytes and least seconds."""

    def __init__(self, name, reports):
        self.context, self.lines = reports[0]["context"], {}
        self.read_bandwidth = max(float(report["context"]["read_bandwidth"]) for report in reports)
        for report in reports:
            for line in report["benchmarks"]:
                self.add(line["name"].removeprefix(name + "/").removesuffix("/manual_time"), line)

    def add(self, key, line):
        if "error_message" in line:
            raise SystemExit(f"error: {line['name']}: {line['error_message']}")
        if key not in self.lines or line["seconds"] < self.lines[key]["seconds"]:
            self.lines[key] = line

    def seconds(self, key):
        if key not in self.lines:
            raise SystemExit(f"error: the benchmark has no line {key}; the table and it should name the same")
        return self.lines[key]["seconds"]

    def rate(self, key):
        return rounded(self.lines[key]["flops"] / self.seconds(key)) if self.seconds(key) else 0


def one_row(level):
    """Codes a second, by the form of weights; rows in f32."""
    keys = [key for key in level.lines if re.fullmatch(r"linear/\w+/f32/rows:1", key)]
    return {key.split("/")[1]: rounded(level.rate(key) / 2) for key in keys}


def many_rows(level):
    """FLOPs a second, by the form of weights and of rows, for each of ROWS."""
    rates = {"rows": ROWS}
    for key in level.lines:
        found = re.fullmatch(r"linear/(\w+)/(\w+)/rows:4", key)
        if found:
            weights, rows = found.groups()
            rates.setdefault(weights, {})[rows] = [level.rate(f"linear/{weights}/{rows}/rows:{n}") for n in ROWS]
    return rates


def materialised(level, context=2048):
    """Seconds are those of expanding the keys and, for each row, those of scores and sums: two runs, two unknowns."""
    few, many = (level.lines[f"mla_materialised/rows:{rows}/context:{context}"] for rows in (32, 256))
    heads, rank, nope, rope, value = 16, 512, 128, 64, 128
    expansion = 2 * context * heads * rank * (nope + value)
    scores = [line["flops"] - expansion for line in (few, many)]
    each = (many["seconds"] - few["seconds"]) / (scores[1] - scores[0])
    expanding = few["seconds"] - scores[0] * each
    if each <= 0 or expanding <= 0:
        raise SystemExit("error: more rows of mla_materialised took less time; the machine is too busy to measure")
    return {"latent_expand": rounded(expansion / expanding), "latent_scores": rounded(1 / each)}


def attention(level):
    """FLOPs a second."""
    return {
        "latent_one_row": level.rate("mla_absorbed/decode/rows:1/context:2048"),
        "latent_absorbed": level.rate("mla_absorbed/prefill/rows:32/context:2048"),
        **materialised(level),
        "grouped_one_row": level.rate("attention/decode/rows:1/context:2048"),
        "grouped": level.rate("attention/prefill/rows:256/context:2048"),
    }


def regions(level):
    """Seconds of a region, and of each of its items."""
    few, many = level.seconds("region/items:16"), level.seconds("region/items:256")
    item = max(many - few, 0) / 240
    return {"region_seconds": rounded(max(few - 16 * item, 0)), "item_seconds": rounded(item)}


def cache_bytes(context, threads):
    """The caches that threads do not share: L2 of a core each."""
    sizes = [cache["size"] for cache in context["caches"] if cache["level"] == 2]
    return sizes[0] * threads if sizes else 0


def entry(level):
    context = level.context
    threads = int(re.search(r"(\d+) threads", context["machine"]).group(1))
    return {
        "machine": context["machine"],
        "threads": threads,
        "read_bandwidth": rounded(level.read_bandwidth),
        "cache_bytes": cache_bytes(context, threads),
        **regions(level),
        "one_row": one_row(level),
        "many_rows": many_rows(level),
        "attention": attention(level),
    }


def report_of(bench, name, min_time):
    """Of one round; None where the machine has not that level."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "report.json")
        command = [bench, f"--level={name}", f"--benchmark_filter={LINES}", f"--benchmark_min_time={min_time}",
                   f"--benchmark_out={out}", "--benchmark_out_format=json"]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"error: {bench}: {done.stderr.strip() or 'exit ' + str(done.returncode)}")
        if "not run:" in done.stderr:
            print(done.stderr.strip(), file=sys.stderr)
            return None
        return json.loads(out.read_text())


def measure(bench, names, options):
    """Levels in turn, round after round: who disturbs one round does not disturb all."""
    reports = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            report = report_of(bench, name, options.min_time)
            if report:
                reports[name].append(report)
    return {name: entry(Level(name, found)) for name, found in reports.items() if found}


def written(table):
    """A line a list or object without objects in it, so that a change is seen."""
    text = json.dumps(table, indent=1)
    text = re.sub(r"\[[^][{}]*\]", lambda found: re.sub(r"\s+", " ", found.group()), text)
    return text + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=ROOT / "build/release/tests/lathe_kernel_bench", type=pathlib.Path)
    parser.add_argument("--table", default=ROOT / "backends/x86/costs.json", type=pathlib.Path)
    parser.add_argument("--level", choices=LEVELS, action="append", help="repeatable (all)")
    parser.add_argument("--min-time", default=0.03, type=float, help="seconds of a line and round (0.03)")
    parser.add_argument("--rounds", default=5, type=int, help="of each line the least counts (5)")
    options = parser.parse_args()
    if not options.bench.is_file():
        raise SystemExit(f"error: {options.bench}: is not there; build lathe_kernel_bench first")
    table = json.loads(options.table.read_text()) if options.table.is_file() else {}
    measured = measure(options.bench, options.level or LEVELS, options)
    for name, numbers in measured.items():
        print(f"{name}: measured on {numbers['machine']}")
    table.update(measured)
    options.table.write_text(written({name: table[name] for name in LEVELS if name in table}))


if __name__ == "__main__":
    main()
