import pathlib
import unittest

from compare import options
from compare.refusal import Refusal

FILE = str(pathlib.Path(__file__))


def check(*words):
    options.check(options.parser("").parse_args(["--shape", "tiny", "--prompt", "8", "--decode", "4", *words]))


class Check(unittest.TestCase):
    def refuses(self, said, *words):
        with self.assertRaises(Refusal) as raised:
            check(*words)
        self.assertIn(said, str(raised.exception))

    def test_takes_what_a_compile_takes(self):
        check("--activations", "bf16", "--weights", "q8_0")
        check("--artifact", FILE, "--target", "x86-64-v3")

    def test_an_artifact_is_compiled_already(self):
        self.refuses("--activations bf16: is for a compile", "--artifact", FILE, "--activations", "bf16")
        self.refuses("--weights q8_0: is for a compile", "--artifact", FILE, "--weights", "q8_0")

    def test_rows_are_rounded_as_the_peer_rounds_them(self):
        self.assertEqual(options.activations(None, "x86-64-v3"), "bf16")
        self.assertEqual(options.activations("bf16", "x86-vnni"), "bf16")
        self.assertEqual(options.activations("q8_0", "x86-64-v4"), "w8a8")
        self.assertEqual(options.activations("q4_0", "x86-vnni"), "w8a8")
        self.assertEqual(options.activations("q8_0", "x86-amx"), "bf16")

    def test_a_file_is_for_one_column(self):
        self.refuses("is for one column", "--format", "fp8,bf16", "--artifact", FILE)
        self.refuses("no such file", "--peer-model", FILE + ".gguf")

    def test_formats_and_lengths(self):
        self.refuses("no such format", "--format", "fp9")
        self.refuses("each format once", "--format", "fp8,fp8")
        self.refuses("has a context of", "--prompt", "1000000")
