"""What was tried where a check is not met, by the check's key (row and name of the measure).

Apart from the checks: a note makes nothing run again.
"""

from __future__ import annotations

NOTES: dict[str, str] = {}
