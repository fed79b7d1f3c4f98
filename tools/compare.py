#!/usr/bin/env python3
"""Lathe and llama.cpp side by side, on this machine, on random weights of a published shape.

    tools/compare.py --get-peer build/compare
    tools/compare.py --shape v2-lite --format fp8,q8_0-peer --prompt 128,512 --decode 64

Writes a checkpoint for Lathe and a model for llama.cpp, compiles the one, looks for the settings that serve the other
best, lets both run in turns, and prints medians, ratios and the share of the read bandwidth that decoding uses.
Needs the room on the disk that both files take. With numpy it also counts how evenly experts are used.
"""
import json
import sys

from compare import facts, get_peer, load_check, machine, options, rounds, table
from compare.lathe import Lathe, LatheEntry
from compare.made import Made, note
from compare.peer import Peer, PeerEntry
from compare.peer_settings import choose, try_all
from compare.refusal import Refusal


def lathe_entry(chosen, made, program, kind, loads):
    name = f"{kind} as {chosen.weights}" if chosen.weights else kind
    if chosen.artifact:
        loads.append(load_check.of_checkpoint(chosen.checkpoint, chosen.shape, kind))
        return LatheEntry(program, name, facts.checked_artifact(program, chosen), chosen.threads, chosen.target)
    checkpoint = made.checkpoint(kind)
    loads.append(load_check.of_checkpoint(checkpoint, chosen.shape, kind))
    artifact = made.artifact(program, kind, checkpoint)
    made.done_with(checkpoint)
    return LatheEntry(program, name, artifact, chosen.threads, chosen.target)


def peer_entry(chosen, made, peers, word, loads):
    model = made.peer_model(options.PEER_FORMATS[word])
    loads.append(load_check.of_peer_model(model))
    trials = try_all(peers, model, chosen.threads, note)
    return PeerEntry(model.kind, model, chosen.threads, choose(trials)), trials


def compare(chosen):
    options.check(chosen)
    chosen.threads = chosen.threads or machine.cores()
    program = Lathe(chosen.lathe)
    if not chosen.artifact:
        chosen.activations = chosen.activations or options.activations(chosen.weights, chosen.target or program.level())
    wants_peer = any(word in options.PEER_FORMATS for word in chosen.format)
    peers = [Peer(path) for path in chosen.peer_bench or [chosen.work_dir / "llama-bench"]] if wants_peer else []
    with Made(chosen) as made:
        entries, trials, loads = [], [], []
        for word in chosen.format:
            if word in options.PEER_FORMATS:
                entry, tried = peer_entry(chosen, made, peers, word, loads)
                trials += tried
            else:
                entry = lathe_entry(chosen, made, program, word, loads)
            entries.append(entry)
        measured = rounds.run(entries, chosen.prompt, chosen.decode, chosen.rounds,
                              lambda: facts.bandwidth(program, made, chosen.threads), note)
        lines = facts.lines(chosen, program, peers, measured, loads)
        report(chosen, lines, measured, trials, loads)


def report(chosen, lines, measured, trials, loads):
    print(table.markdown(lines, measured))
    if chosen.json:
        whole = table.as_object(lines, measured) | {"expert_load": loads, "trials": [
            {"program": trial.peer.program, "settings": trial.name, "failure": trial.failure,
             "rates": {f"{test} {tokens}": rate for (test, tokens), rate in trial.rates.items()}} for trial in trials]}
        chosen.json.write_text(json.dumps(whole, indent=1) + "\n")


def main():
    parser = options.parser(__doc__)
    chosen = parser.parse_args()
    if not chosen.shape and not chosen.get_peer:
        parser.error("--shape or --get-peer should be given")
    try:
        if chosen.get_peer:
            print(get_peer.get(chosen.get_peer, machine.cores()))
        else:
            compare(chosen)
    except Refusal as refused:
        sys.exit(f"error: {refused}")
    except OSError as failed:
        sys.exit(f"error: {failed.filename or 'compare'}: {failed.strerror or failed}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
