"""Discriminators that are classifiers: a few rows have labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import cross_entropy as classification

from saddlepoint.objectives.base import Objective
from saddlepoint.objectives.logistic import cross_entropy


@dataclass(frozen=True)
class Classification(Objective):
    """L_D = −E log p(y|x) over the rows with labels, p the softmax of the discriminator's K logits: nothing else is
    learned from, which is the baseline of semi-supervised learning."""

    players: ClassVar[tuple[str, ...]] = ("discriminator",)

    def discriminator(self, labelled_class: Tensor, labelled_label: Tensor) -> Tensor:
        """labelled_class: logits [n, classes]; labelled_label int64 [n]."""
        return classification(labelled_class, labelled_label)


@dataclass(frozen=True)
class SemiSupervised(Objective):
    """L_D = L_sup + w L_unl (Salimans et al. 2016, section 5) with K logits l_k and the score s = log Σ_k exp l_k that
    they imply, D = Z/(Z + 1), Z = e^s:

    L_sup = −E log p(y|x) over rows with labels = E[−l_y + s];  L_unl = ½(E_P sp(−s) + E_Q sp(s)), which is
    −½ E_P s + ½ E_P sp(s) + ½ E_Q sp(s) in the authors' code. w = `unlabelled`. The generator has no loss but its terms.
    """

    players: ClassVar[tuple[str, ...]] = ("discriminator",)
    logit: ClassVar[bool] = True

    unlabelled: float = 1.0

    def discriminator(
        self, real_score: Tensor, fake_score: Tensor, labelled_class: Tensor, labelled_label: Tensor
    ) -> Tensor:
        """Scores [n]; labelled_class: logits [n, classes]; labelled_label int64 [n]."""
        unlabelled = 0.5 * cross_entropy(real_score, fake_score)
        return classification(labelled_class, labelled_label) + self.unlabelled * unlabelled
