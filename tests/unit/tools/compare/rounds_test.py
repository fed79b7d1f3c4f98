import pathlib
import tempfile
import types
import unittest

from compare import rounds, table


class Entry:
    """Rates in the order in which its turns come."""

    setting = {}

    def __init__(self, side, name, rates, bandwidths=(None,) * 9, log=None):
        self.side, self.name, self.file = side, name, FILE
        self.rates, self.bandwidths, self.log = iter(rates), iter(bandwidths), log if log is not None else []
        self.weight_bytes_per_token = 2

    def turn(self, prompts, decode):
        self.log.append(self.name)
        rate = next(self.rates)
        return {("prefill", prompts[0]): 10 * rate, ("decode", decode): rate}, next(self.bandwidths)


FILE = pathlib.Path(__file__)


def run(entries, count, probe=lambda: 100):
    return rounds.run(entries, [8], 4, count, probe, lambda text: None)


class Rounds(unittest.TestCase):
    def test_every_other_round_runs_backwards(self):
        self.assertEqual(rounds.order(2, 3), [[0, 1], [1, 0], [0, 1]])
        self.assertEqual(rounds.order(3, 2), [[0, 1, 2], [2, 1, 0]])
        log = []
        run([Entry("lathe", "L", [1, 1, 1], log=log), Entry("peer", "P", [1, 1, 1], log=log)], 3)
        self.assertEqual("".join(log), "LPPLLP")

    def test_numbers_are_medians_and_a_round_s_own_bandwidth(self):
        measured = run([Entry("lathe", "L", [5, 1, 9], [100, 10, 100]), Entry("peer", "P", [1, 2, 3])], 3)
        self.assertEqual(measured.median(0, ("decode", 4)), 5)
        self.assertEqual(measured.bandwidth(), 100)
        self.assertAlmostEqual(measured.share(0, ("decode", 4)), 0.18)  # of 0.10, 0.20, 0.18
        self.assertAlmostEqual(measured.share(1, ("decode", 4)), 0.06)

    def test_the_probe_is_asked_where_no_entry_measures_the_bandwidth(self):
        self.assertEqual(run([Entry("peer", "P", [1, 2])], 2, lambda: 50).bandwidths, [50, 50])

    def test_files_are_read_in_again_where_memory_cannot_hold_them_together(self):
        for together, expected in ((True, 2), (False, 4)):
            read = []
            rounds.files = types.SimpleNamespace(fit_together=lambda paths: together, read_in=read.append)
            try:
                run([Entry("lathe", "L", [1, 1]), Entry("peer", "P", [1, 1])], 2)
            finally:
                from compare import files
                rounds.files = files
            self.assertEqual(len(read), expected)


class Table(unittest.TestCase):
    def setUp(self):
        self.measured = run([Entry("lathe", "fp8", [4, 8, 30], [100] * 3), Entry("peer", "Q8_0", [2, 2, 10])], 3)

    def test_a_row_has_medians_spread_ratio_and_shares(self):
        self.assertIn("| decode 4 | fp8: 8.00 (4.00 to 30.0) | Q8_0: 2.00 (2.00 to 10.00) | 3.00 | 16% | 4% |",
                      table.markdown([], self.measured))

    def test_the_ratio_is_the_median_of_the_rounds_ratios(self):
        self.assertEqual([pair["ratio"] for pair in table.as_object([], self.measured)["ratios"]], [3, 3])

    def test_facts_come_first_and_prefill_has_no_share(self):
        lines = table.markdown([("machine", "one")], self.measured).splitlines()
        self.assertEqual(lines[0], "- machine: one")
        self.assertIn("| prefill 8 | fp8: 80.0 (40.0 to 300) | Q8_0: 20.0 (20.0 to 100) | 3.00 |  |  |", lines)

    def test_each_of_ours_is_set_against_each_of_the_peer_s(self):
        entries = [Entry("lathe", "a", [1]), Entry("peer", "b", [1]), Entry("peer", "c", [1])]
        self.assertEqual(table.pairs(run(entries, 1)), [(0, 1), (0, 2)])
        self.assertEqual(table.pairs(run([Entry("peer", "b", [1])], 1)), [(None, 0)])


class ReadIn(unittest.TestCase):
    def test_reads_files_of_any_size(self):
        from compare import files
        with tempfile.NamedTemporaryFile() as empty:
            files.read_in(empty.name)
        files.read_in(FILE)
