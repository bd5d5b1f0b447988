"""Numbers, durations and long values as a person reads them."""

from __future__ import annotations

import ast
import math
from typing import Any, TypeGuard

NONE = "–"
LARGEST = 1 << 63  # whole numbers from here on count nothing


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value from a file is a number: any float, or a whole number of sensible size."""
    if isinstance(value, float):
        return True
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST


def is_finite(value: object) -> TypeGuard[float]:
    return is_number(value) and math.isfinite(value)


def number(value: Any) -> str:
    """Whole numbers with separators, others with four significant digits; what is no number as it is."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    return _real(value).replace("-", "−")


def _real(value: float) -> str:
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{round(value):,}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:.3g}"


def compact(value: float) -> str:
    """The number at a tick of an axis, short: 20k, 1.5M, 0.25, 2e-05."""
    size = abs(value)
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if unit <= size < 1e12:
            return f"{value / unit:.4g}{letter}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def duration(seconds: Any) -> str:
    """Seconds as hours, minutes, seconds or milliseconds: the two largest that matter."""
    if not is_finite(seconds):
        return NONE
    if 1e-3 <= seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def memory(count: Any) -> str:
    """Bytes in powers of ten."""
    if not is_finite(count):
        return NONE
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(count) >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count:.0f} B"


def layout(expression: str, width: int = 72) -> str:
    """A call expression such as a value's `repr`, broken over lines where it is wider than `width`.

    Every part keeps its own spelling. What is no Python expression comes back as it is.
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
        return _lay(tree, "", 0, (expression.strip(), width))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return expression


def _lay(node: ast.expr, label: str, indent: int, context: tuple[str, int]) -> str:
    source, width = context
    flat = ast.get_source_segment(source, node) or ast.unparse(node)
    opening, parts, closing = _parts(node, source)
    if not parts or (indent + len(label) + len(flat) <= width and "\n" not in flat):
        return label + flat
    margin = " " * (indent + 2)
    inner = [margin + _lay(child, name, indent + 2, context) for name, child in parts]
    return f"{label}{opening}\n" + ",\n".join(inner) + f",\n{' ' * indent}{closing}"


def _parts(node: ast.expr, source: str) -> tuple[str, list[tuple[str, ast.expr]], str]:
    """What a value is made of, each part with the label before it, and the brackets around them."""
    if isinstance(node, ast.Call):
        named = [(f"{word.arg}=" if word.arg else "**", word.value) for word in node.keywords]
        name = ast.get_source_segment(source, node.func) or ""
        return name + "(", [("", part) for part in node.args] + named, ")"
    if isinstance(node, (ast.Tuple, ast.List)):
        opening, closing = ("(", ")") if isinstance(node, ast.Tuple) else ("[", "]")
        return opening, [("", part) for part in node.elts], closing
    if isinstance(node, ast.Dict) and all(node.keys):
        labels = [f"{ast.get_source_segment(source, key)}: " for key in node.keys if key]
        return "{", list(zip(labels, node.values, strict=True)), "}"
    return "", [], ""
