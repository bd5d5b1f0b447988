"""What the tests of the laws leave out of the catalogue, and why; `test_laws_executions.py` counts it.

Simplified, not left out (`small_games.small`): two turns a player, two inner steps and two iterations instead of more.
"""

from __future__ import annotations

EXCLUDED: dict[str, dict[str, str]] = {
    "a term reaches the parameters": {
        "historical-averaging": (
            "Before the first move the mean of the past is the point itself, and the gradient is 0 as it should be: "
            "test_penalties_games takes moves first."
        ),
        "improved-techniques": (
            "Historical averaging again: what feature matching adds is tested under feature-matching, and the sum of the "
            "parts in test_techniques."
        ),
    },
    "gradients are derivatives of the losses": {
        "sce": (
            "Its loss holds a copy of the moved player fixed and is log 4 everywhere: test_objectives_density has its "
            "gradient, half that of maximum likelihood."
        )
    },
}

# The full compiler takes tens of seconds a method. One each of: nothing but losses, a penalty between the points, penalties
# at both with pairs, a constraint with memory, an objective with memory on autoencoders, derivatives through inner steps,
# two evaluations a step with slots moved twice, products with the Jacobian.
REPRESENTATIVES = ("gan", "wgan-gp", "r3gan", "sngan", "began", "unrolled", "extra-adam", "consensus")

# Over several processes (test_parallel) the cases of workers/games.py stand for all: each kind of coupling, BatchNorm, a
# memory, each kind of second derivative. Everything else runs for every method.
