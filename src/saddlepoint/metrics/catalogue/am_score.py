"""AM score (K05)."""

from torch import Tensor

from saddlepoint.metrics.labels import am_score, label_shares
from saddlepoint.metrics.metric import Measured, Metric


def measure(fake_probabilities: Tensor, train_labels: Tensor) -> dict[str, Measured]:
    prior = label_shares(labels=train_labels, classes=fake_probabilities.shape[1])
    found = am_score(probabilities=fake_probabilities, prior=prior, prior_rows=len(train_labels))
    return {"am-score": found}


METRIC = Metric(
    id="am-score",
    title="AM score",
    formula="KL(p* || p(y)) + E_x H(p(y|x)) in nats, p* the class shares of the training data",
    paper="Zhou et al., Activation Maximization Generative Adversarial Nets, ICLR 2018",
    rows=("K05",),
    better={"am-score": "lower"},
    blind="copies of the training data; collapse inside the classes; a class that looks certain is good whatever it "
    "looks like",
    measure=measure,
    unmoved=("copies", "collapse"),
)
