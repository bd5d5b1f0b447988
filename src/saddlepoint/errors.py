"""Errors of the person at the keyboard, as opposed to faults of the program."""

from __future__ import annotations

from collections.abc import Iterable

LISTED = 25  # names in a sentence


class InputError(ValueError):
    """Bad input: one sentence that names what is wrong, where, and what would be accepted.

    The command line prints the sentence on standard error and exits with code 2; anything else that is raised
    is a fault of the program and keeps its traceback.
    """


class NeedsLabels(InputError):
    """A method asks for labels that the data do not have."""


def nearest(name: str, names: Iterable[str]) -> str:
    """The known names nearest to a mistyped one, as the end of a sentence."""
    from difflib import get_close_matches

    known = sorted(names)
    close = get_close_matches(name, known, n=3, cutoff=0.4)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    more = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    return "accepted are " + ", ".join(known[:LISTED]) + more + "."


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's own error, or torch's, which is told by its words."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
