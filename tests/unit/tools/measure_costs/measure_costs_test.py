import json
import pathlib
import unittest

import measure_costs

TABLE = pathlib.Path(measure_costs.__file__).parent.parent / "backends/x86/costs.json"


def line(level, key, flops, seconds):
    return {"name": f"{level}/{key}/manual_time", "flops": flops, "bytes": 1, "seconds": seconds}


def report(level, scale, bandwidth):
    """Of a machine that makes 1 TFLOP/s and has regions of 1 us and items of 10 ns."""
    lines = {"region/items:16": (0, 1.16e-6), "region/items:256": (0, 3.56e-6)}
    for form in ("bf16", "e4m3"):
        lines[f"linear/{form}/f32/rows:1"] = (2e9, 2e-3)
        for rows in measure_costs.ROWS:
            lines[f"linear/{form}/f32/rows:{rows}"] = (rows * 2e9, rows * 2e-3)
    expansion = 2 * 2048 * 16 * 512 * 256
    for rows in (32, 256):
        scores = rows * 1e9
        lines[f"mla_materialised/rows:{rows}/context:2048"] = (expansion + scores, expansion / 2e12 + scores / 5e11)
    for key in ("mla_absorbed/decode/rows:1/context:2048", "mla_absorbed/prefill/rows:32/context:2048",
                "attention/decode/rows:1/context:2048", "attention/prefill/rows:256/context:2048"):
        lines[key] = (1e9, 1e-3)
    return {"context": {"machine": "a machine, 2 threads", "read_bandwidth": str(bandwidth),
                        "caches": [{"level": 2, "size": 1000}]},
            "benchmarks": [line(level, key, flops, scale * seconds) for key, (flops, seconds) in lines.items()]}


class MeasureCosts(unittest.TestCase):
    def entry(self, *reports):
        return measure_costs.entry(measure_costs.Level("x86-amx", reports))

    def test_numbers_are_those_of_the_lines(self):
        entry = self.entry(report("x86-amx", 1, 3e10))
        self.assertEqual(entry["one_row"], {"bf16": 5e11, "e4m3": 5e11})
        self.assertEqual(entry["many_rows"]["e4m3"], {"f32": [1e12] * len(measure_costs.ROWS)})
        self.assertEqual((entry["threads"], entry["cache_bytes"]), (2, 2000))
        self.assertEqual((entry["region_seconds"], entry["item_seconds"]), (1e-6, 1e-8))

    def test_expansion_and_scores_are_told_apart(self):
        attention = self.entry(report("x86-amx", 1, 3e10))["attention"]
        self.assertEqual((attention["latent_expand"], attention["latent_scores"]), (2e12, 5e11))

    def test_a_disturbed_round_changes_nothing(self):
        quiet, disturbed = report("x86-amx", 1, 3e10), report("x86-amx", 7, 1e10)
        self.assertEqual(self.entry(disturbed, quiet), self.entry(quiet))

    def test_a_line_that_failed_is_an_error(self):
        broken = report("x86-amx", 1, 3e10)
        broken["benchmarks"][0] |= {"error_message": "no memory"}
        with self.assertRaisesRegex(SystemExit, "no memory"):
            self.entry(broken)

    def test_a_missing_line_is_named(self):
        with self.assertRaisesRegex(SystemExit, "region/items:16"):
            measure_costs.Level("x86-amx", [{**report("x86-amx", 1, 1), "benchmarks": []}]).seconds("region/items:16")

    def test_the_table_of_the_tree_is_as_the_tool_writes_it(self):
        text = TABLE.read_text()
        table = json.loads(text)
        self.assertEqual(measure_costs.written(table), text)
        self.assertEqual(list(table), measure_costs.LEVELS)
        for level, entry in table.items():
            self.assertEqual(entry["many_rows"]["rows"], measure_costs.ROWS, level)


if __name__ == "__main__":
    unittest.main()
