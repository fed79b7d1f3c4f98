"""What was measured, as a page of markdown and as one object."""
import statistics


def pairs(measured):
    """(entry of ours, entry of the peer) that share a row; an entry without a counterpart stands alone."""
    ours = [index for index, entry in enumerate(measured.entries) if entry.side == "lathe"] or [None]
    theirs = [index for index, entry in enumerate(measured.entries) if entry.side == "peer"] or [None]
    return [(our, their) for our in ours for their in theirs]


def tests(measured):
    return list(measured.rates[0])


def markdown(facts, measured):
    lines = [f"- {name}: {value}" for name, value in facts]
    lines += ["", "| test | Lathe, t/s | llama.cpp, t/s | Lathe / llama.cpp | share of read bandwidth: Lathe | llama.cpp |",
              "|---|---|---|---|---|---|"]
    for our, their in pairs(measured):
        for test in tests(measured):
            cells = [f"{test[0]} {test[1]}", _rate(measured, our, test), _rate(measured, their, test),
                     _ratio(measured, our, their, test), _share(measured, our, test), _share(measured, their, test)]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _rate(measured, index, test):
    if index is None:
        return ""
    rates = measured.rates[index][test]
    spread = f" ({_short(min(rates))} to {_short(max(rates))})" if len(rates) > 1 else ""
    return f"{measured.entries[index].name}: {_short(measured.median(index, test))}{spread}"


def _ratio(measured, our, their, test):
    return "" if our is None or their is None else f"{_by_rounds(measured, our, their, test):.2f}"


def _by_rounds(measured, our, their, test):
    """The median of the rounds' own ratios: what was measured side by side is what is compared."""
    return statistics.median(a / b for a, b in zip(measured.rates[our][test], measured.rates[their][test]))


def _share(measured, index, test):
    return "" if index is None or test[0] != "decode" else f"{measured.share(index, test):.0%}"


def _short(rate):
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.1f}" if rate >= 20 else f"{rate:.2f}"


def as_object(facts, measured):
    return {"facts": dict(facts), "read_bandwidth_bytes_per_second": measured.bandwidths,
            "entries": [_entry(measured, index) for index in range(len(measured.entries))],
            "ratios": [{"test": test[0], "tokens": test[1], "lathe": measured.entries[our].name,
                        "peer": measured.entries[their].name, "ratio": _by_rounds(measured, our, their, test)}
                       for our, their in pairs(measured) if None not in (our, their) for test in tests(measured)]}


def _entry(measured, index):
    entry = measured.entries[index]
    return {"name": entry.name, "side": entry.side, "file": str(entry.file), "settings": entry.setting,
            "weight_bytes_per_token": entry.weight_bytes_per_token,
            "tests": [{"test": test[0], "tokens": test[1], "tokens_per_second": rates,
                       "median": measured.median(index, test),
                       **({"bandwidth_share": measured.share(index, test)} if test[0] == "decode" else {})}
                      for test, rates in measured.rates[index].items()]}
