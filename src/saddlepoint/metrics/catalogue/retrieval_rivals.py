"""Image retrieval against other runs, by Wilcoxon's signed-rank test (K26)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.quantities import Model
from saddlepoint.metrics.retrieval import retrieval_comparison


def measure(
    real_samples: Tensor, fake_samples: Tensor, rivals: tuple[Model, ...], seed: int
) -> dict[str, Measured]:
    """The lowest share of wins over the rivals, each with as many samples; distances are between the numbers of the
    samples, and the interval is over real rows."""
    found = {}
    for rival in rivals:
        made = rival.generate(rival.latents(len(fake_samples), seed)).detach()
        found[rival.name] = retrieval_comparison(real=real_samples, first=fake_samples, second=made)
    hardest = min(found.values(), key=lambda one: one.wins.value).wins
    note = "; ".join(f"against {name} {one.wins.value:.3f}, p = {one.p:.2g}" for name, one in found.items())
    return {"retrieval-wins": Measured(hardest.value, hardest.interval, note)}


METRIC = Metric(
    id="retrieval-rivals",
    title="image retrieval against other runs",
    formula="share of held-out rows that are nearer to the nearest fake than to the nearest sample of the hardest rival; "
    "Wilcoxon's signed-rank test of the two distances",
    paper="Wang, Zhang and van de Weijer, Ensembles of Generative Adversarial Networks, 2016",
    rows=("K26",),
    better={"retrieval-wins": "higher"},
    blind="copies of the training data; fakes far from all real rows, which are never retrieved",
    measure=measure,
    unmoved=("copies",),
)
