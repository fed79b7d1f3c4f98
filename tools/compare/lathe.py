"""Our side: compile a checkpoint, measure an artifact."""
import json
import shutil
import subprocess

from compare.refusal import Refusal

CONTEXT = 4096  # tokens, where the shape has as many


class Lathe:
    def __init__(self, program):
        self.program = shutil.which(str(program))  # a path, or a name on PATH
        if not self.program:
            raise Refusal(f"{program}: no such program; it should be lathe, built by cmake --build --preset release; "
                          "build it or name it with --lathe")

    def run(self, *arguments):
        command = [self.program, *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise Refusal(f"{' '.join(command)}: {last.removeprefix('error: ')}")
        return done.stdout

    def version(self):
        return self.run("--version").split()[-1]

    def level(self):
        return json.loads(self.run("devices", "--json"))["devices"][0]["level"]

    def compile(self, checkpoint, artifact, options):
        self.run("compile", checkpoint, "-o", artifact, "--force", *options)

    def measure(self, artifact, prompt, decode, threads, target=None):
        """One measured run after one that is thrown away: `lathe bench`'s object, rates those of the second."""
        bench = json.loads(self.run("bench", artifact, "--prompt-length", prompt, "--decode", decode, "--threads",
                                    threads, "--repetitions", 2, "--json", *target_flag(target)))
        return bench | {key: bench[key][-1] for key in ("prefill_rates", "decode_rates") if bench[key]}


def target_flag(target):
    return ["--target", target] if target else []


def compile_options(config, activations, weights, target):
    """The same for every machine but the level: all of this machine's, or the one asked for."""
    options = ["--max-context", min(CONTEXT, config["max_position_embeddings"]), *target_flag(target)]
    if activations:
        options += ["--activations", activations]
    if weights:
        options += ["--weights", weights]
    return options


class LatheEntry:
    """One column of the table: an artifact and how it is measured."""

    side = "lathe"

    def __init__(self, lathe, name, artifact, threads, target=None):
        self.lathe, self.name, self.file, self.threads, self.target = lathe, name, artifact, threads, target
        self.setting = {}

    def turn(self, prompts, decode):
        """{test: tokens a second}, and what the decode says of the memory."""
        rates = {("prefill", length): self._measure(length, 0)["prefill_rates"] for length in prompts}
        bench = self._measure(0, decode)
        rates["decode", decode] = bench["decode_rates"]
        self.weight_bytes_per_token = bench["weight_bytes_per_token"]
        return rates, bench["read_bandwidth_bytes_per_second"]

    def _measure(self, prompt, decode):
        return self.lathe.measure(self.file, prompt, decode, self.threads, self.target)
