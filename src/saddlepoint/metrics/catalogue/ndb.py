"""Statistically different bins, and the divergence of their shares (K20)."""

from torch import Tensor

from saddlepoint.metrics.bins import bin_counts, bins_divergence, different_bins, k_means_bins
from saddlepoint.metrics.metric import Measured, Metric


def measure(real: Tensor, fake: Tensor, train: Tensor, seed: int) -> dict[str, Measured]:
    """The bins are made from training rows; held-out rows are compared with the fakes, so that neither side is what the
    bins were fitted to. There are 100, or fewer so that each has some 20 training rows."""
    centres = k_means_bins(training=train, seed=seed)
    ours, theirs = (bin_counts(rows=rows, centres=centres) for rows in (real, fake))
    different = different_bins(real=ours, fake=theirs)
    note = f"{int(different.sum())} of {len(different)} bins; {0.05 * len(different):.3g} are expected of equal sets"
    return {
        "ndb": Measured(
            float(different.double().mean()), note=f"{note}; the test has no interval of its own"
        ),
        "bins-divergence": bins_divergence(real=ours, fake=theirs),
    }


METRIC = Metric(
    id="ndb",
    title="statistically different bins",
    formula="share of k-means bins whose shares of real and fake rows differ at the 5 % level; Jensen-Shannon divergence of "
    "the two histograms in nats",
    paper="Richardson and Weiss, On GANs and GMMs, NeurIPS 2018",
    rows=("K20",),
    better={"ndb": "lower", "bins-divergence": "lower"},
    blind="copies of the training data; what happens inside a bin, or at any distance from it; more rows find more "
    "differences",
    measure=measure,
    unmoved=("copies",),
)
