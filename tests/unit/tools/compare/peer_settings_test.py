import unittest

from compare import peer_settings
from compare.peer import PeerFailed, rates_of
from compare.refusal import Refusal
from random_checkpoint import SHAPES

HELP = "--repack <0|1> --flash-attn <on|off|auto> --load-mode <none|mmap>"


class FakePeer:
    """Rates by rule; a rule that returns None is a crash."""

    def __init__(self, rule, help_text=HELP, program="bench"):
        self.rule, self.help, self.program = rule, help_text, program

    def measure(self, model, prompts, decodes, threads, setting, repetitions):
        rates = self.rule(" ".join(setting))
        if rates is None:
            raise PeerFailed("ended by signal 6")
        return {("prefill", prompts[0]): rates[0], ("decode", decodes[0]): rates[1]}


class FakeFile:
    path, kind = "model.gguf", "Q8_0"

    def __init__(self, shape="v2-lite"):
        self.config, self.used = SHAPES[shape], []

    def use(self, latent):
        self.used.append(latent)


def tried(rule, file=None, **more):
    return peer_settings.try_all([FakePeer(rule, **more)], file or FakeFile(), 2, lambda text: None)


class PeerSettings(unittest.TestCase):
    def test_what_crashes_is_noted_and_the_best_of_the_rest_is_taken(self):
        trials = tried(lambda setting: None if "--repack 1" in setting else (20 + 5 * ("--flash-attn on" in setting), 5.0))
        self.assertEqual(trials[0].failure, "ended by signal 6")
        choice = peer_settings.choose(trials)
        self.assertEqual(choice["prefill"].name, "repack off, flash attention on, mmap")
        self.assertIs(choice["prefill"], choice["decode"])

    def test_each_kind_of_test_may_have_its_own_setting_if_it_is_clearly_better(self):
        choice = peer_settings.choose(tried(lambda setting: (30, 5.0) if "--flash-attn on" in setting else (20, 6.0)))
        self.assertIn("flash attention on", choice["prefill"].name)
        self.assertIn("flash attention off", choice["decode"].name)
        choice = peer_settings.choose(tried(lambda setting: (30, 5.9) if "--flash-attn on" in setting else (20, 6.0)))
        self.assertIn("flash attention on", choice["decode"].name)

    def test_latent_tensors_are_moved_out_of_the_packing_s_way_where_there_are_any(self):
        file = FakeFile()
        self.assertIn("BF16", [trial.latent for trial in tried(lambda setting: (1, 1), file)])
        self.assertIn("BF16", file.used)
        self.assertNotIn("BF16", [trial.latent for trial in tried(lambda setting: (1, 1), FakeFile("dense-0.5b"))])

    def test_where_nothing_works_the_first_reason_is_told(self):
        with self.assertRaisesRegex(Refusal, "works with no setting: repack on.*ended by signal 6.*--peer-bench"):
            peer_settings.choose(tried(lambda setting: None))

    def test_of_several_builds_the_best_is_taken_and_named(self):
        peers = [FakePeer(lambda setting: (1, 1), "", "gcc"), FakePeer(lambda setting: (2, 2), "", "clang")]
        trials = peer_settings.try_all(peers, FakeFile(), 2, lambda text: None)
        self.assertEqual(peer_settings.choose(trials)["decode"].name, "clang: defaults")

    def test_a_program_without_choices_is_tried_once(self):
        self.assertEqual([trial.name for trial in tried(lambda setting: (1, 1), help_text="")], ["defaults"])


class RatesOf(unittest.TestCase):
    def test_the_last_repetition_counts(self):
        text = '[{"n_prompt": 8, "n_gen": 0, "samples_ts": [1, 2]}, {"n_prompt": 0, "n_gen": 4, "samples_ts": [3, 4]}]'
        self.assertEqual(rates_of(text), {("prefill", 8): 2, ("decode", 4): 4})

    def test_anything_else_is_a_failure(self):
        for text in ("", "[]x", "[{}]", '[{"n_prompt": 1, "samples_ts": []}]', "1"):
            with self.assertRaises(PeerFailed):
                rates_of(text)
