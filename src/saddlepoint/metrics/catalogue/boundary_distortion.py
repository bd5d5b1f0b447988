"""Boundary distortion of a generator that makes samples by class (K25)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.transfer import Labelled, Task, boundary_distortion, boundary_spectrum


def measure(
    train_samples: Tensor,
    train_labels: Tensor,
    real_samples: Tensor,
    real_labels: Tensor,
    fake_samples: Tensor,
    fake_labels: Tensor,
) -> dict[str, Measured]:
    training, fake = Labelled(train_samples, train_labels), Labelled(fake_samples, fake_labels)
    task = Task(training, fake, Labelled(real_samples, real_labels))
    return {
        "boundary-distortion": boundary_distortion(task=task),
        "boundary-spectrum": boundary_spectrum(task=task),
    }


METRIC = Metric(
    id="boundary-distortion",
    title="boundary distortion",
    formula="accuracy on held-out rows of a linear classifier trained on n real rows less that of one trained on n fakes, "
    "averaged over three n; largest eigenvalue of the covariance in a class, of fakes over real, geometric mean",
    paper="Santurkar, Schmidt and Madry, A Classification-Based Study of Covariate Shift in GAN Distributions, ICML 2018",
    rows=("K25",),
    better={"boundary-distortion": "lower", "boundary-spectrum": 1.0},
    blind="copies of the training data; what a linear classifier of the numbers cannot use",
    measure=measure,
    unmoved=("copies",),
    slow=True,
)
