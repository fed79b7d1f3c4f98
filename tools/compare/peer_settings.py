"""Which settings serve the peer best: each is tried on a short run, what fails is noted, the best is kept.

llama.cpp packs weights for AMX by default, and with some builds and some models it then aborts or crashes. Who compares
should neither give up there nor take the first setting that starts. With DeepSeek's attn_k_b and attn_v_b it aborts,
because its AMX code takes no batch of matrices; in BF16, a type which that code leaves alone, the two are
out of its way and everything else is packed. So that is tried, too.
"""
import math

from compare import peer_model
from compare.peer import PeerFailed
from compare.refusal import Refusal

PROMPT, DECODE = 128, 16  # tokens of a trial
IN_BF16 = "repack on with attn_k_b and attn_v_b in BF16"
CLEARLY = 1.03            # how much better another setting must be to be taken for one kind of test alone


def axes(help_text, latent_too):
    """[[(words for the table, arguments)]]: what this llama-bench lets one choose, its default first.
    latent_too: whether the file has an attn_k_b that the packing would take.
    """
    found = []
    if "--repack" in help_text:
        found.append([("repack on", ["--repack", "1"]), ("repack off", ["--repack", "0"])])
        if latent_too:
            found[0].append((IN_BF16, ["--repack", "1"]))
    if "--flash-attn" in help_text:
        on, off = ("on", "off") if "on|off" in help_text else ("1", "0")
        found.append([("flash attention off", ["--flash-attn", off]), ("flash attention on", ["--flash-attn", on])])
    if "--load-mode" in help_text:
        found.append([("mmap", ["--load-mode", "mmap"]), ("no mmap", ["--load-mode", "none"])])
    elif "--mmap" in help_text:
        found.append([("mmap", ["--mmap", "1"]), ("no mmap", ["--mmap", "0"])])
    return found


class Trial:
    def __init__(self, peer, picks, kind, build=""):
        self.peer, self.picks = peer, picks
        self.name = build + (", ".join(name for name, _ in picks) or "defaults")
        self.setting = [argument for _, arguments in picks for argument in arguments]
        self.latent = "BF16" if any(name == IN_BF16 for name, _ in picks) else kind
        self.rates, self.failure = {}, None

    def score(self):
        return math.prod(self.rates.values()) if self.rates else 0


def try_all(peers, model, threads, note):
    """Trials along one axis after the other, each from the best so far; for each program. model: a PeerFile."""
    trials = []
    for peer in peers:
        build = f"{peer.program}: " if len(peers) > 1 else ""
        options = axes(peer.help, peer_model.splits_latent(model.config) and model.kind != "BF16")
        trials.append(_run(Trial(peer, [axis[0] for axis in options], model.kind, build), model, threads, note))
        for place, axis in enumerate(options):
            for pick in axis[1:]:
                picks = best_picks(trials, peer)
                changed = picks[:place] + [pick] + picks[place + 1:]
                trials.append(_run(Trial(peer, changed, model.kind, build), model, threads, note))
    return trials


def best_picks(trials, peer):
    return max((trial for trial in trials if trial.peer is peer), key=Trial.score).picks


def _run(trial, model, threads, note):
    model.use(trial.latent)
    try:
        trial.rates = trial.peer.measure(model.path, [PROMPT], [DECODE], threads, trial.setting, repetitions=1)
    except PeerFailed as failed:
        trial.failure = str(failed)
    note(f"peer, {trial.name}: " + (trial.failure or ", ".join(
        f"{test} {tokens}: {rate:.1f} t/s" for (test, tokens), rate in trial.rates.items())))
    return trial


def choose(trials):
    """{"prefill" | "decode": trial}: the best over all, unless another is clearly better for one of them."""
    working = [trial for trial in trials if trial.rates]
    if not working:
        raise Refusal(f"llama-bench works with no setting: {trials[0].name}: {trials[0].failure}; "
                      "rebuild it with another compiler or name another with --peer-bench")
    best = max(working, key=Trial.score)
    choice = {}
    for test in (("prefill", PROMPT), ("decode", DECODE)):
        winner = max(working, key=lambda trial: trial.rates[test])
        choice[test[0]] = winner if winner.rates[test] > CLEARLY * best.rates[test] else best
    return choice
