"""Turns in alternation. Clocks and neighbours of a machine change from minute to minute: only what was
measured side by side may be compared, and only medians of several rounds.
"""
import statistics

from compare import files


def order(count, rounds):
    """Which entry has its turn, round by round; every other round backwards, so that no side always comes first."""
    return [list(range(count)) if number % 2 == 0 else list(reversed(range(count))) for number in range(rounds)]


class Measured:
    """What the rounds gave: rates[entry][test] and bandwidths, one number a round."""

    def __init__(self, entries):
        self.entries = entries
        self.rates = [{} for _ in entries]
        self.bandwidths = []

    def median(self, entry, test):
        return statistics.median(self.rates[entry][test])

    def bandwidth(self):
        return statistics.median(self.bandwidths)

    def share(self, entry, test):
        """Of the bandwidth of the same round, what reading the weights of a decoded token took."""
        size = self.entries[entry].weight_bytes_per_token
        return statistics.median(rate * size / bandwidth
                                 for rate, bandwidth in zip(self.rates[entry][test], self.bandwidths))


def run(entries, prompts, decode, rounds, probe, note):
    """probe() measures the bandwidth where no entry does."""
    measured = Measured(entries)
    together = files.fit_together([entry.file for entry in entries])
    for number, turns in enumerate(order(len(entries), rounds)):
        bandwidths = []
        for index in turns:
            entry = entries[index]
            if number == 0 or not together:
                files.read_in(entry.file)
            rates, bandwidth = entry.turn(prompts, decode)
            bandwidths += [bandwidth] if bandwidth else []
            for test, rate in rates.items():
                measured.rates[index].setdefault(test, []).append(rate)
            note(f"round {number + 1}, {entry.name}: " + ", ".join(
                f"{test} {tokens}: {rate:.2f} t/s" for (test, tokens), rate in rates.items()))
        measured.bandwidths.append(statistics.median(bandwidths or [probe()]))
    return measured
