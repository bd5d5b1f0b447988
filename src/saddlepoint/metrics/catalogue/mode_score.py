"""Mode score in its three forms (K04)."""

from torch import Tensor

from saddlepoint.metrics.labels import label_shares, mode_score, prior_mode_score, reversed_mode_score
from saddlepoint.metrics.metric import Measured, Metric


def measure(fake_probabilities: Tensor, train_labels: Tensor) -> dict[str, Measured]:
    prior = label_shares(labels=train_labels, classes=fake_probabilities.shape[1])
    return {
        name: form(probabilities=fake_probabilities, prior=prior)
        for name, form in (
            ("mode-score", mode_score),
            ("mode-score-reversed", reversed_mode_score),
            ("mode-score-prior", prior_mode_score),
        )
    }


METRIC = Metric(
    id="mode-score",
    title="mode score",
    formula="exp(E_x KL(p(y|x) || p) - KL(p* || p)); reversed: exp(E_x KL(p(y|x) || p) - KL(p || p*)); prior: "
    "exp(E_x KL(p(y|x) || p*) - KL(p || p*)), which is the inception score; p* the class shares of the training data",
    paper="Che et al., Mode Regularized Generative Adversarial Networks, ICLR 2017; later sources differ on the form",
    rows=("K04",),
    better={"mode-score": "higher", "mode-score-reversed": "higher", "mode-score-prior": "higher"},
    blind="copies of the training data; collapse inside the classes",
    measure=measure,
    unmoved=("copies", "collapse"),
)
