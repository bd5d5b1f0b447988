"""Boosting of any method (Tolstikhin et al., AdaGAN, NIPS 2017, algorithm 1): a sequence of games."""

from __future__ import annotations

from dataclasses import replace

from saddlepoint.dynamics import Alternating
from saddlepoint.errors import InputError
from saddlepoint.method import Method, Stage
from saddlepoint.mixture import Boosting, Choice
from saddlepoint.objectives import Judging
from saddlepoint.optim import Adam, Optimizer


def boosting(
    base: Method,
    components: int = 3,
    steps: int = 1000,
    judging: int = 300,
    judge: Optimizer = Adam(1e-3),
) -> Method:
    """`components` rounds of `base`, each with networks of its own: `steps` steps of each but the last, which has the rest
    of the budget; after each, `judging` steps in which a judge learns the mixture so far from the data, and by which the
    rows of the next are drawn. All components have equal shares at the end (β = 1/t in round t)."""
    if base.mixture or base.before:
        raise InputError(f"boosting is for a method of one pair in one stage, and {base.name} has more")
    before: list[Stage] = []
    for turn in range(1, components):
        before += (
            Stage(replace(base, mixture=Boosting(components, turn)), steps),
            Stage(_looking(base, turn / components, judge), judging),
        )
    return replace(base, mixture=Boosting(components, components), before=tuple(before))


def _looking(base: Method, share: float, judge: Optimizer) -> Method:
    """The judge learns; everybody else is still."""
    return Method(
        name="judge",
        formula="L_J = E_P sp(-j) + E_Q sp(j), Q the mixture so far",
        objective=Judging(),
        definitions=(*base.definitions, Choice(share)),
        latent=base.latent,
        dynamics=Alternating({"judge": judge}, {"judge": 1}),
        batch_size=base.batch_size,
    )
