"""What samples tell of their codes (K49)."""

from saddlepoint.metrics.information import Recognition, mutual_information_bound
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.score import bootstrap_interval

DRAWS = 2000


def measure(recognition: Recognition, seed: int) -> dict[str, Measured]:
    """The interval is over draws of codes and noise, the networks held fixed."""
    known, entropy = recognition.drawn(DRAWS, seed).double(), recognition.entropy
    low, high = bootstrap_interval(known, seed=seed)
    bound = mutual_information_bound(log_probabilities=known, entropy=entropy)
    note = f"H(c) = {entropy:.4g} nats"
    return {"mutual-information": Measured(bound, (low + entropy, high + entropy), note)}


METRIC = Metric(
    id="mutual-information",
    title="bound on the information of samples about their codes",
    formula="E ln q(c|G(z, c)) + H(c), q by the run's own recognition head, in nats; h(c) = ln 2 for a code uniform on "
    "[-1, 1), whose q is N(mu, 1)",
    paper="Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial "
    "Nets, NIPS 2016, equation 5",
    rows=("K49",),
    better={"mutual-information": "higher"},
    blind="the data: codes may steer anything; what a better head would find; a continuous code beyond a standard "
    "deviation of 1, by which each costs 0.23 nats even where it is known exactly",
    measure=measure,
)
