"""Classifiers trained on fakes and tested on real rows, and the reverse (K06, K24)."""

from torch import Tensor

from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.transfer import Labelled, Progress, Task


def measure(
    train_samples: Tensor,
    train_labels: Tensor,
    real_samples: Tensor,
    real_labels: Tensor,
    fake_samples: Tensor,
    fake_labels: Tensor,
    seed: int,
    progress: Progress,
) -> dict[str, Measured]:
    training, fake = Labelled(train_samples, train_labels), Labelled(fake_samples, fake_labels)
    taught = Task(training, fake, Labelled(real_samples, real_labels)).taught(seed, progress)
    note = f"GAN-base, trained and tested on real rows, is {taught.gan_base().value:.4g}"
    scores = {"gan-train": taught.gan_train(), "gan-test": taught.gan_test()}
    return {name: Measured(one.value, one.interval, note) for name, one in scores.items()}


METRIC = Metric(
    id="gan-train",
    title="classification accuracy score: GAN-train and GAN-test",
    formula="accuracy on held-out rows of a classifier trained on fakes; accuracy on fakes of one trained on real rows",
    paper="Ravuri and Vinyals, Classification Accuracy Score for Conditional Generative Models, NeurIPS 2019; Shmelkov et "
    "al., How good is my GAN?, ECCV 2018",
    rows=("K06", "K24"),
    better={"gan-train": "higher", "gan-test": "higher"},
    blind="copies of the training data, which make both scores good; everything the labels do not depend on",
    measure=measure,
    unmoved=("copies",),
    slow=True,
)
