"""What ends a comparison with one line: where, what it is, what it should be, what to do next."""


class Refusal(Exception):
    """Reported as `error: ...` with exit status 1."""
