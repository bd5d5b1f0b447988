"""Normalised relative discriminative score among models (K32)."""

from torch import Tensor

from saddlepoint.metrics.discrepancy import discrimination_curves, relative_scores
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import made
from saddlepoint.metrics.quantities import Model
from saddlepoint.random import key


def measure(model: Model, rivals: tuple[Model, ...], real_samples: Tensor, seed: int) -> dict[str, Measured]:
    models = (model, *rivals)
    fakes = [made(one.generate, one.latents(len(real_samples), key("nrds", seed))) for one in models]
    curves = discrimination_curves(real=real_samples, fakes=fakes, seed=seed)
    note = f"no interval: one training of one classifier; equal models would have {1 / len(models):.3f} each"
    return {"nrds": Measured(float(relative_scores(curves)[0]), None, note)}


METRIC = Metric(
    id="nrds",
    title="normalised relative discriminative score",
    formula="area under the curve, over epochs, of one classifier's mean output on the model's samples, over the sum "
    "of the areas of all models; the classifier learns real (1) against the samples of all (0)",
    paper="Zhang et al., Decoupled Learning for Conditional Adversarial Networks, WACV 2018",
    rows=("K32",),
    better={"nrds": "higher"},
    blind="how good all models are together: the scores add to 1; copies of the data",
    measure=measure,
    slow=True,
)
