"""The report of a run: one HTML file that opens offline and shows all that the run folder knows."""

from __future__ import annotations

from saddlepoint.report.page import render, write

__all__ = ["render", "write"]
