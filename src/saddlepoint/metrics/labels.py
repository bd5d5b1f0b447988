"""What a classifier of the real data says of the samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import exponential, normal, standard_error
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.samples import checked_labels, matrix

SMALLEST = torch.finfo(torch.float32).tiny


def class_shares(*, probabilities: Tensor) -> Tensor:
    """Share of the samples whose likeliest class is each one: probabilities [n, classes] -> float64
    [classes]."""
    rows = _checked(probabilities)
    return torch.bincount(rows.argmax(1), minlength=rows.shape[1]).double() / len(rows)


def mean_entropy(*, probabilities: Tensor) -> float:
    """Mean over samples of H(p(y|x)) = −Σ_y p log p, in nats: 0 where the classifier is certain, ln K where
    lost."""
    return float(entropies(probabilities=probabilities).mean())


def entropies(*, probabilities: Tensor) -> Tensor:
    """H(p(y|x)) of each sample in nats, float64 [n]; 0 log 0 is 0."""
    rows = _checked(probabilities)
    return -torch.special.xlogy(rows, rows).sum(1)


def _checked(probabilities: Tensor) -> Tensor:
    rows = matrix("probabilities", probabilities).double()
    if rows.min() < 0 or (rows.sum(1) - 1).abs().max() > 1e-3:
        raise InputError(
            "probabilities holds a row that is negative or does not sum to 1; logits need a softmax first."
        )
    return rows


def label_shares(*, labels: Tensor, classes: int) -> Tensor:
    """Share of each of the classes among labels int64 [n], float64 [classes]."""
    checked = checked_labels("labels", labels, classes)
    return torch.bincount(checked, minlength=classes).double() / len(checked)


def inception_score(*, probabilities: Tensor) -> Measured:
    """exp(E_x KL(p(y|x) ‖ p(y))) with p(y) the mean of p(y|x) over all rows, in [1, classes]; higher is better.

    Salimans et al. 2016. Only with the probabilities of Inception's own classes is it the published score. It rises
    with the number of rows. The interval is exp of that for the mean of KL(p(y|x) ‖ p(y)): to first order p(y) does not
    count, since it minimises that mean.
    """
    gains = _gains(_checked(probabilities))
    return exponential(float(gains.mean()), standard_error(gains))


def inception_scores(*, probabilities: Tensor, splits: int = 10) -> Tensor:
    """The score of each of at most `splits` consecutive parts, float64: the published form is their mean and standard
    deviation. Each part has its own p(y); small parts score lower. The order matters, so shuffle first."""
    rows = _checked(probabilities)
    if not 1 <= splits <= len(rows):
        raise InputError(f"splits is {splits} with {len(rows)} rows; 1 ≤ splits ≤ rows is needed.")
    return torch.stack([_gains(part).mean().exp() for part in rows.chunk(splits)])


def class_diversity(*, probabilities: Tensor, labels: Tensor) -> Measured:
    """m-IS (Gurumurthy et al. 2017): the mean over classes of exp(E_i E_j KL(p(y|x_i) ‖ p(y|x_j))), i and j among the
    rows of one class; 1 for identical rows, higher where a class is varied.

    labels int64 [n]: the class each row was made or taken for; a class without rows does not count. Probabilities
    under 1.2e-38 count as that, so that a certain mistake weighs 88 nats and not infinitely many. The delta method
    through the influence mean_j KL(i ‖ j) + mean_j KL(j ‖ i) of each row gives the interval.
    """
    rows, labels = _checked(probabilities), _one_a_row(labels, probabilities)
    found = [_pair_divergences(rows[labels == label]) for label in labels.unique()]
    values = torch.stack([forward.mean() for forward, _ in found]).exp()
    errors = torch.tensor([standard_error(both[0] + both[1]) for both in found], dtype=torch.float64)
    value = float(values.mean())
    return Measured(value, normal(value, float((values * errors).norm()) / len(found)))


def within_class_share(*, probabilities: Tensor, labels: Tensor) -> Measured:
    """Mean KL(p(y|x_i) ‖ p(y|x_j)) over pairs of one class over that over all pairs: 0 where the classifier tells the
    classes apart and sees nothing else, 1 where its answers have nothing to do with the class; lower is better.

    Beside m-IS, since confusion raises that as variety does. labels int64 [n]. 0 where all rows agree. The interval is by
    the delta method.
    """
    rows, labels = _checked(probabilities), _one_a_row(labels, probabilities)
    within, inside = torch.zeros(len(rows)).double(), torch.zeros(len(rows)).double()
    for label in labels.unique():
        own = labels == label
        forward, backward = _pair_divergences(rows[own])
        within[own], inside[own] = forward, forward + backward - forward.mean()
    forward, backward = _pair_divergences(rows)
    whole = float(forward.mean())
    if not whole > 0:
        return Measured(0.0, note="all rows agree")
    value = float(within.mean()) / whole
    low, high = normal(value, standard_error(inside - value * (forward + backward)) / whole)
    return Measured(value, (max(0.0, low), high))


def _one_a_row(labels: Tensor, rows: Tensor) -> Tensor:
    if labels.shape != rows.shape[:1]:
        raise InputError(
            f"labels has the shape {tuple(labels.shape)} for {len(rows)} rows; one a row is needed."
        )
    return labels.cpu()


def _pair_divergences(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over all j of KL(i ‖ j) and of KL(j ‖ i), for each row i."""
    logarithms = rows.clamp_min(SMALLEST).log()
    negative_entropy = (rows * logarithms).sum(1)
    forward = negative_entropy - rows @ logarithms.mean(0)
    return forward, negative_entropy.mean() - logarithms @ rows.mean(0)


def mode_score(*, probabilities: Tensor, prior: Tensor) -> Measured:
    """exp(E_x KL(p(y|x) ‖ p(y)) − KL(p* ‖ p(y))), p* the class shares of the training data [classes]; higher is better.

    Che et al. 2017. 0 where p(y) has lost a class: exp(−∞). The interval holds p* fixed.
    """
    rows, (shares, wanted) = _checked(probabilities), _both_shares(probabilities, prior)
    if ((shares == 0) & (wanted > 0)).any():
        return Measured(0.0, note="a class is never predicted, so KL(p* ‖ p) is infinite")
    gains = _gains(rows)
    missing = torch.special.xlogy(wanted, wanted / shares).nan_to_num()
    return exponential(
        float(gains.mean() - missing.sum()), standard_error(gains + rows @ _over(wanted, shares))
    )


def reversed_mode_score(*, probabilities: Tensor, prior: Tensor) -> Measured:
    """exp(E_x KL(p(y|x) ‖ p(y)) − KL(p(y) ‖ p*)), the form of some programs; higher is better. 0 where p(y) has a class
    that the data lack. The interval holds p* fixed."""
    rows, (shares, wanted) = _checked(probabilities), _both_shares(probabilities, prior)
    if ((wanted == 0) & (shares > 0)).any():
        return Measured(0.0, note="a class is predicted that the data lack, so KL(p ‖ p*) is infinite")
    gains = _gains(rows)
    surplus = torch.special.xlogy(shares, shares / wanted).nan_to_num()
    ratio = torch.where(shares > 0, shares / wanted, 1.0).log()
    return exponential(float(gains.mean() - surplus.sum()), standard_error(gains - rows @ ratio))


def prior_mode_score(*, probabilities: Tensor, prior: Tensor) -> Measured:
    """exp(E_x KL(p(y|x) ‖ p*) − KL(p(y) ‖ p*)): the form with p* in both terms. It is the inception score, whatever p*
    is: Σ_y p(y) log p*(y) cancels."""
    rows, (shares, wanted) = _checked(probabilities), _both_shares(probabilities, prior)
    reference = wanted.clamp_min(SMALLEST).log()  # where p* is 0 both terms are infinite, and cancel
    to_prior = torch.special.xlogy(rows, rows).sum(1) - rows @ reference
    surplus = torch.special.xlogy(shares, shares).sum() - shares @ reference
    return exponential(float(to_prior.mean() - surplus), standard_error(_gains(rows)))


def am_score(*, probabilities: Tensor, prior: Tensor, prior_rows: int | None = None) -> Measured:
    """KL(p* ‖ p(y)) + E_x H(p(y|x)) in nats, p* the class shares of the training data; lower is better, 0 is best.

    Zhou et al. 2018. Infinite where a class is never predicted. The interval, by the delta method, takes p* as the shares
    among `prior_rows` labels, or as known where that is None.
    """
    rows, (shares, wanted) = _checked(probabilities), _both_shares(probabilities, prior)
    if ((shares == 0) & (wanted > 0)).any():
        return Measured(torch.inf, note="a class is never predicted, so KL(p* ‖ p) is infinite")
    uncertain = entropies(probabilities=rows)
    value = float(torch.special.xlogy(wanted, wanted / shares).nan_to_num().sum() + uncertain.mean())
    slope = torch.where(wanted > 0, wanted / shares, 1.0).log()
    by_prior = float(wanted @ slope.square() - (wanted @ slope).square()) / (prior_rows or math.inf)
    error = math.hypot(standard_error(uncertain - rows @ _over(wanted, shares)), max(0.0, by_prior) ** 0.5)
    low, high = normal(value, error)
    return Measured(value, (max(0.0, low), high))


def _gains(rows: Tensor) -> Tensor:
    """KL(p(y|x) ‖ p(y)) of each row."""
    return (torch.special.xlogy(rows, rows) - torch.special.xlogy(rows, rows.mean(0))).sum(1)


def _both_shares(probabilities: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
    """p(y) and p*, both float64 [classes]."""
    shares, wanted = _checked(probabilities).mean(0), _checked(prior[None])[0]
    if len(shares) != len(wanted):
        raise InputError(f"prior has {len(wanted)} classes and the probabilities {len(shares)}.")
    return shares, wanted


def _over(wanted: Tensor, shares: Tensor) -> Tensor:
    """p*/p, the derivative of −KL(p* ‖ p) with respect to p; 0 for a class in neither."""
    return torch.where(wanted > 0, wanted / shares, 0.0)
