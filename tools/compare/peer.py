"""The other side: llama.cpp's llama-bench, with the settings that serve it best."""
import json
import re
import shutil
import subprocess

from compare.refusal import Refusal

LIMIT = 1800  # seconds for one start of it


class PeerFailed(Exception):
    """It ended without a result: a setting that does not work here."""


class Peer:
    """One built llama-bench."""

    def __init__(self, program):
        self.program = shutil.which(str(program))
        if not self.program:
            raise Refusal(f"{program}: no such program; it should be llama.cpp's llama-bench; "
                          "build one with tools/compare.py --get-peer DIR")
        self.help = self._output("--help")

    def _output(self, *arguments):
        done = subprocess.run([self.program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout

    def version(self):
        """What it says of itself, in one line: build and compiler."""
        lines = [line for line in self._output("--version").splitlines() if re.match(r"version|built", line)]
        return "; ".join(line.removeprefix("version: ") for line in lines) or "of unknown version"

    def measure(self, model, prompts, decodes, threads, setting, repetitions):
        """{test: tokens a second}, each the last repetition's; the earlier ones warm up."""
        command = [self.program, "-m", str(model), "-t", str(threads), "-r", str(repetitions), "-o", "json",
                   "-p", ",".join(map(str, prompts)) or "0", "-n", ",".join(map(str, decodes)) or "0", *setting]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            raise PeerFailed(f"no end within {LIMIT} s") from None
        if done.returncode:
            raise PeerFailed(_reason(done))
        return rates_of(done.stdout)


def rates_of(text):
    """llama-bench's JSON as {("prefill" | "decode", tokens): tokens a second}."""
    try:
        tests = json.loads(text)
        return {("prefill", test["n_prompt"]) if test["n_prompt"] else ("decode", test["n_gen"]): test["samples_ts"][-1]
                for test in tests}
    except (ValueError, KeyError, IndexError, TypeError) as wrong:
        raise PeerFailed(f"no JSON of llama-bench: {wrong!r}") from None


def _reason(done):
    if done.returncode < 0:
        said = [line for line in done.stderr.splitlines() if "GGML_ASSERT" in line or "error" in line.lower()]
        return f"ended by signal {-done.returncode}" + (f" ({said[0].strip()})" if said else "")
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


class PeerEntry:
    """One column of the table: a model, and for each test the trial that won."""

    side = "peer"

    def __init__(self, name, model, threads, choice):
        """model: a PeerFile; choice: {"prefill" | "decode": Trial}"""
        self.name, self.model, self.threads, self.choice = name, model, threads, choice
        self.file = model.path
        self.weight_bytes_per_token = model.weight_bytes_per_token(choice["decode"].latent)
        self.setting = {test: trial.name for test, trial in choice.items()}

    def turn(self, prompts, decode):
        rates = {}
        for trial in {id(trial): trial for trial in self.choice.values()}.values():
            self.model.use(trial.latent)
            rates |= trial.peer.measure(
                self.file, prompts if trial is self.choice["prefill"] else [],
                [decode] if trial is self.choice["decode"] else [], self.threads, trial.setting, repetitions=2)
        return rates, None
