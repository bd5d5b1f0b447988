"""Adversarial accuracy and divergence (K33)."""

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
    """Deviation: the divergence is taken on the fakes too, where noise shows that a classifier learns to live with."""
    training, fake = Labelled(train_samples, train_labels), Labelled(fake_samples, fake_labels)
    taught = Task(training, fake, Labelled(real_samples, real_labels)).taught(seed, progress)
    accuracy = taught.gan_train()
    note = f"the same classifier trained on real rows has {taught.gan_base().value:.4g}"
    return {
        "adversarial-accuracy": Measured(accuracy.value, accuracy.interval, note),
        "adversarial-divergence": taught.divergence(real_samples),
        "adversarial-divergence-fake": taught.divergence(fake_samples),
    }


METRIC = Metric(
    id="adversarial-divergence",
    title="adversarial accuracy and divergence",
    formula="accuracy on held-out rows of a classifier trained on fakes; mean there of "
    "KL(p_real-trained(y|x) || p_fake-trained(y|x)) in nats, and the same mean over the fakes",
    paper="Yang et al., LR-GAN: Layered Recursive Generative Adversarial Networks for Image Generation, ICLR 2017",
    rows=("K33",),
    better={
        "adversarial-accuracy": "higher",
        "adversarial-divergence": "lower",
        "adversarial-divergence-fake": "lower",
    },
    blind="copies of the training data; everything the labels do not depend on",
    measure=measure,
    unmoved=("copies",),
    slow=True,
)
