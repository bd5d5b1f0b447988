"""E19: every metric of samples against faults whose order is known, and against closed forms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from saddlepoint.experiments.accept import EachSeed, Range, at_least, at_most
from saddlepoint.experiments.corrupting import Response, Setting, allowed, blank, of_samples
from saddlepoint.experiments.experiment import Experiment, Measured, Part, Results, Row
from saddlepoint.metrics import (
    Metric,
    classifier_two_sample_test,
    directions,
    earth_mover,
    frechet_distance,
    frechet_infinity,
    inception_score,
    kernel_inception_distance,
    nearest_neighbour_accuracy,
    sinkhorn_divergence,
    sliced_wasserstein,
    vendi_score,
    wasserstein_1d,
)
from saddlepoint.metrics.corruptions import CORRUPTIONS
from saddlepoint.metrics.prd import discrete_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SETTINGS, ROWS, CLEAN, QUICK_CLEAN = ("digits", "ring"), 300, 6, 4
SWIFT = ("emd", "boundary-distortion")  # of those that train something: what a quick run takes
DIMENSIONS, SHIFT, SCALE = 8, 0.5, 1.5
SIZES = (250, 500, 1000, 2000)
CEILING = 0.5 * (1 + math.erf(0.5 / math.sqrt(2)))  # Φ(δ/2), δ = 1


# -- closed forms --------------------------------------------------------------------------------------


def normals(source: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=source, dtype=torch.float64)


def standard(source: torch.Generator, n: int, d: int) -> Tensor:
    """Rows whose sample mean is 0 and whose sample covariance is I, to rounding."""
    rows = normals(source, n, d)
    return torch.linalg.qr(rows - rows.mean(0)).Q * math.sqrt(n - 1)


def sliced_shift(d: int) -> tuple[float, float]:
    """E |u₁| of a direction drawn uniformly, Γ(d/2)/(√π Γ((d + 1)/2)), and its standard deviation, since E u₁² = 1/d."""
    mean = math.exp(math.lgamma(d / 2) - math.lgamma((d + 1) / 2)) / math.sqrt(math.pi)
    return mean, math.sqrt(1 / d - mean * mean)


def frechet_floor(n: int, d: int) -> float:
    """E FD of two samples of n rows of N(0, I_d), to first order in 1/n: the means differ by 2d/n, and the roots of the
    covariances I + E, I + E' by ‖E − E'‖²/4, where E ‖E‖² = d(d + 1)/(n − 1) (Wishart)."""
    return 2 * d / n + d * (d + 1) / (2 * (n - 1))


def closed_forms(seed: int, quick: bool) -> Measured:
    """Values beside exact ones; `error, …` is a difference over what rounding or 6 standard errors allow."""
    source = torch.Generator().manual_seed(seed)
    found, series = floors(source, seed, 20 if quick else 60)
    rows = normals(source, 300, DIMENSIONS)
    shift = torch.zeros(DIMENSIONS, dtype=torch.float64)
    shift[0] = SHIFT
    real, fake = standard(source, 400, DIMENSIONS), SCALE * standard(source, 300, DIMENSIONS) + shift
    exact = SHIFT**2 + DIMENSIONS * (1 - SCALE) ** 2
    found["Fréchet, scaled and shifted"] = frechet_distance(real=real, fake=fake)
    found["error, Fréchet"] = abs(found["Fréchet, scaled and shifted"] - exact) / 1e-8
    lines = directions(width=DIMENSIONS, count=4000, seed=seed)
    mean, deviation = sliced_shift(DIMENSIONS)
    found["sliced, shifted by 1"] = sliced_wasserstein(real=rows, fake=rows + shift / SHIFT, along=lines)
    found["error, sliced"] = abs(found["sliced, shifted by 1"] - mean) / (
        6 * deviation / math.sqrt(lines.shape[1])
    )
    found["earth mover, shifted"] = earth_mover(real=rows, fake=rows + shift).value
    found["error, earth mover"] = abs(found["earth mover, shifted"] - SHIFT) / 1e-8
    one, other = rows[:, :1], normals(source, 300, 1)
    ordered = float((one.sort(0).values - other.sort(0).values).abs().mean())
    found["error, W₁ on a line by assignment"] = abs(earth_mover(real=one, fake=other).value - ordered) / 1e-8
    found["error, W₁ on a line"] = abs(float(wasserstein_1d(real=one, fake=other)) - ordered) / 1e-8
    energy = 2 * torch.cdist(rows, rows + shift).mean() - 2 * torch.cdist(rows, rows).mean()
    wide = sinkhorn_divergence(real=rows, fake=rows + shift, epsilon=1e4).value
    found["error, Sinkhorn at ε = 10⁴ against half the energy distance"] = (
        abs(wide / float(energy / 2) - 1) / 1e-2
    )
    found["largest distance of a set from itself"] = max(
        abs(frechet_distance(real=rows, fake=rows)),
        abs(earth_mover(real=rows, fake=rows).value),
        abs(sinkhorn_divergence(real=rows, fake=rows).value),
        abs(sliced_wasserstein(real=rows, fake=rows, along=lines)),
    )
    found |= of_labels()
    sides = [normals(source, 2000, 1).float() for _ in range(2)]
    test = classifier_two_sample_test(real=sides[0], fake=sides[1] + 1, seed=seed)
    found["classifier, N(0, 1) against N(1, 1)"] = test.accuracy
    far = nearest_neighbour_accuracy(real=rows, fake=rows + 100)
    found["1-NN, far apart"] = far
    return Measured(found, series)


def of_labels() -> dict[str, float]:
    """Scores of probabilities, counts and directions, which have exact values at every size."""
    sure, unsure = torch.eye(10).repeat(30, 1), torch.full((300, 10), 0.1)
    p, q = torch.full((4,), 0.25), torch.tensor([1.0, 0, 0, 0])
    collapsed = discrete_curve(p, q)
    lost = collapsed.best(8.0)
    # all of q lies in a quarter of p: α = min(λ/4, 1), β = min(1/4, 1/λ); F_β is largest at λ = 4
    return {
        "inception score, sure and even": inception_score(probabilities=sure).value,
        "inception score, always unsure": inception_score(probabilities=unsure).value,
        "Vendi score, 10 directions": vendi_score(samples=sure).value,
        "error, recall of a collapsed histogram": abs(lost - 65 * 0.25 / (64 + 0.25)) / 1e-2,
        "error, precision of a collapsed histogram": abs(
            collapsed.best(1 / 8) - (65 / 64) * 0.25 / (1 / 64 + 0.25)
        )
        / 1e-2,
    }


def floors(
    source: torch.Generator, seed: int, repeats: int
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Between two samples of one N(0, I): what a perfect generator gets at each size, and KID's bias."""
    found: dict[str, float] = {}
    means = []
    for n in SIZES:
        values = torch.tensor([
            frechet_distance(real=normals(source, n, DIMENSIONS), fake=normals(source, n, DIMENSIONS))
            for _ in range(repeats)
        ])  # fmt: skip
        means.append(float(values.mean()))
        error = float(values.std()) / math.sqrt(repeats)
        # the next order is d/n of the first: 8/250 and less
        within = 6 * error + 2 * DIMENSIONS / n * frechet_floor(n, DIMENSIONS)
        found[f"Fréchet floor, {n}"] = means[-1]
        found[f"error, Fréchet floor, {n}"] = abs(means[-1] - frechet_floor(n, DIMENSIONS)) / within
    pairs = [normals(source, 2, 200, DIMENSIONS) for _ in range(3 * repeats)]
    kid = torch.tensor([kernel_inception_distance(real=a, fake=b, seed=seed).value for a, b in pairs])
    found["KID, equal distributions"] = float(kid.mean())
    found["error, KID"] = abs(float(kid.mean())) / (6 * float(kid.std()) / math.sqrt(len(kid)))
    infinite = frechet_infinity(
        real=normals(source, 5000, DIMENSIONS), fake=normals(source, 5000, DIMENSIONS), seed=seed
    )
    found["Fréchet, extrapolated"] = infinite.value
    return found, {"Fréchet floor": means}


# -- the matrix ----------------------------------------------------------------------------------------


def cells(metrics: tuple[Metric, ...], seed: int, quick: bool) -> Measured:
    """How each cell of the matrix moves; a score of a metric has to get worse, the one that gets worst."""
    asked = moved = unjustified = 0
    series: dict[str, list[float]] = {}
    for name in SETTINGS:
        setting = Setting(name, ROWS, seed)
        for metric in (m for m in metrics if not setting.lacks(m)):
            for corruption in CORRUPTIONS:
                if corruption.images and len(setting.data.shape) < 3:
                    continue
                cell = f"{metric.id} / {name} / {corruption.name}"
                if blank(metric, name, corruption.name):
                    said = corruption.name in metric.unmoved
                    unjustified += said and not allowed(metric, corruption.name)
                    series[cell] = [math.nan, math.nan]
                    continue
                clean = QUICK_CLEAN if quick else CLEAN
                best = worst(list(setting.responses(metric, corruption, clean, quick)))
                asked, moved = asked + 1, moved + best.worsens
                series[cell] = [max(-1e9, min(1e9, best.margin)), float(best.worsens)]
    kind = "trained metrics" if any(m.slow for m in metrics) else "metrics"
    numbers = {
        f"cells, {kind}": float(asked),
        f"cells that do not move, {kind}": float(asked - moved),
        f"blanks that the sheet does not allow, {kind}": float(unjustified),
    }
    return Measured(numbers, series)


def worst(found: list[Response]) -> Response:
    """The response of the score that worsens most clearly."""
    return max(found, key=lambda response: (response.worsens, response.margin))


def matrix(seed: int, quick: bool) -> Measured:
    return cells(tuple(m for m in of_samples() if not m.slow), seed, quick)


def trained_matrix(seed: int, quick: bool) -> Measured:
    """Metrics that train or search; two that are swift stand for them in a quick run."""
    return cells(tuple(m for m in of_samples() if m.slow and (not quick or m.id in SWIFT)), seed, quick)


def draw(figure: Figure, results: Results) -> None:
    """Left the matrix, medians over the seeds; right the floor of the Fréchet distance."""
    import numpy as np
    from matplotlib.colors import ListedColormap

    figure.set_size_inches(8.5, 8.5)
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1))
    found = [n.split(" / ") for t in results.of(results.seeds[0]) for n in t.series if " / " in n]
    metrics = sorted({parts[0] for parts in found})
    columns = [(name, one.name) for name in SETTINGS for one in CORRUPTIONS]
    columns = [c for c in columns if any((parts[1], parts[2]) == c for parts in found)]
    shares = np.full((len(metrics), len(columns)), np.nan)
    for i, metric in enumerate(metrics):
        for j, (name, corruption) in enumerate(columns):
            curves = results.curves(f"{metric} / {name} / {corruption}")
            if curves and not math.isnan(curves[0][0]):
                shares[i, j] = np.mean([moved for _, moved in curves])
                margin = float(np.median([margin for margin, _ in curves]))
                text = f"{margin:.0f}" if abs(margin) < 100 else ">99" if margin > 0 else "<-99"
                left.text(j, i, text, ha="center", va="center", fontsize=5.5)
            elif curves:
                left.text(j, i, "blind", ha="center", va="center", fontsize=5, color="0.5")
    colours = ListedColormap(["#d7301f", "#fc8d59", "#fdcc8a", "#c7e9c0"])
    image = left.imshow(shares, aspect="auto", cmap=colours, vmin=0, vmax=1)
    bar = figure.colorbar(image, ax=left, orientation="horizontal", shrink=0.6, aspect=40, pad=0.01)
    bar.set_label("share of seeds in which the score gets worse grade by grade", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    left.set_xticks(
        range(len(columns)), [f"{b}, {a}" for a, b in columns], rotation=60, ha="right", fontsize=7
    )
    left.set_yticks(range(len(metrics)), metrics, fontsize=7)
    left.set(xlabel="corruption and data", ylabel="metric")
    left.set_title("how much worse than the worst real set, in standard deviations", fontsize=8)
    for curve in results.curves("Fréchet floor"):
        right.loglog(SIZES, curve, "o", color="C0", ms=4, alpha=0.6)
    right.plot([], [], "o", color="C0", ms=4, label="measured, a seed")
    right.plot(
        SIZES, [frechet_floor(n, DIMENSIONS) for n in SIZES], color="C1", label="2d/n + d(d + 1)/2(n − 1)"
    )
    right.set(xlabel="rows n of each set", ylabel="Fréchet distance of two sets of N(0, I₈)")
    right.set_xticks(SIZES, [f"{n}" for n in SIZES], fontsize=7)
    right.minorticks_off()
    right.set_title("the floor of a perfect generator", fontsize=8)
    right.legend(fontsize=7)


KINDS = ("metrics", "trained metrics")
EXACT = {
    "error, Fréchet": "a Fréchet distance is |m|² + d(1 − s)² to 1e-8",
    "error, sliced": "the sliced distance of a shift is Γ(d/2)/√π Γ((d + 1)/2) of it within 6 standard errors",
    "error, earth mover": "the earth mover's distance of a shift is the shift to 1e-8",
    "error, W₁ on a line by assignment": "on a line it is the mean distance of sorted rows to 1e-8",
    "error, W₁ on a line": "and so is W₁ in closed form",
    "error, Sinkhorn at ε = 10⁴ against half the energy distance": "Sinkhorn's divergence tends to half the energy "
    "distance within 1 %",
    "error, recall of a collapsed histogram": "recall (F₈) of one bin of four is 65/4 over 64 + 1/4 within .01",
    "error, precision of a collapsed histogram": "its precision (F₁⸝₈) is (65/64)/4 over 1/64 + 1/4 within .01",
    "error, KID": "KID of equal distributions is 0 within 6 standard errors",
} | {f"error, Fréchet floor, {n}": f"the floor at n = {n} is that of theory to first order" for n in SIZES}

EXPERIMENT = Experiment(
    id="E19",
    name="metric-calibration",
    title="Metrics against known answers",
    question="Does every metric get worse with every fault that it does not declare itself blind to, and is it right where "
    "the answer is known?",
    protocol="300 held-out rows, 300 training rows and a pool of others of the bundled 8x8 digits and of the ring of 8 "
    "Gaussians; shift, dropped classes, collapse, copies, blur (digits) and noise in three grades; 6 sets of real rows for "
    "the noise. A cell is right if a score is worse than all real sets at the highest grade by more than their spread and "
    "never better on the way by more than a tenth of the whole or 4 standard deviations. A quick run takes the highest grade "
    "alone, 4 real sets, and two of the metrics that train something. Closed forms: normals in 8 dimensions.",
    source="the metrics' own papers; Borji 2019 lists them; graded corruptions after Heusel et al. 2017 and Xu et al. 2018",
    differs="Metrics that look into a run (latent recovery, tournaments, code accuracy) have no samples that could be "
    "corrupted and are left out; a blank of the matrix is one that the metric declares and whose reason is listed.",
    parts=(
        Part("closed forms", closed_forms, minutes=0.2),
        Part("matrix", matrix, minutes=1.0),
        Part("trained metrics", trained_matrix, minutes=5.0),
    ),
    rows=(
        *(Row(f"cells of the matrix, {kind}", f"cells, {kind}") for kind in KINDS),
        *(
            Row(f"cells that do not move, {kind}", f"cells that do not move, {kind}", exact=0.0)
            for kind in KINDS
        ),
        Row(
            "Fréchet distance, N(0, I₈) against scale 1.5, shift .5",
            "Fréchet, scaled and shifted",
            "|m|² + d(1 − s)²",
            "N",
            SHIFT**2 + DIMENSIONS * (1 - SCALE) ** 2,
        ),
        *(
            Row(
                f"its floor, n = {n}",
                f"Fréchet floor, {n}",
                "falls about as 1/n",
                "N",
                frechet_floor(n, DIMENSIONS),
            )
            for n in SIZES
        ),
        Row("extrapolated to infinitely many rows (2 × 5,000)", "Fréchet, extrapolated", "0 ± .05", "N", 0.0),
        Row("KID, equal distributions", "KID, equal distributions", "0", "N", 0.0),
        Row(
            "sliced W₁ of a shift by 1 in 8 dimensions",
            "sliced, shifted by 1",
            "Γ(d/2)/(√π Γ((d + 1)/2))",
            "N",
            sliced_shift(DIMENSIONS)[0],
        ),
        Row("earth mover's distance of a shift by .5", "earth mover, shifted", exact=SHIFT),
        Row("inception score, sure of ten classes alike", "inception score, sure and even", "10", "N", 10.0),
        Row("inception score, always unsure", "inception score, always unsure", "1", "N", 1.0),
        Row("Vendi score of 10 orthogonal directions", "Vendi score, 10 directions", exact=10.0),
        Row(
            "classifier two-sample test, N(0, 1) against N(1, 1)",
            "classifier, N(0, 1) against N(1, 1)",
            "Φ(δ/2) at best",
            "N",
            CEILING,
        ),
        Row("1-nearest-neighbour accuracy, far apart", "1-NN, far apart", exact=1.0),
    ),
    accept=(
        *(
            EachSeed(
                f"every cell of the matrix moves in the right direction: {kind}",
                {f"cells that do not move, {kind}": Range(0, 0), f"cells, {kind}": at_least(10)},
            )
            for kind in KINDS
        ),
        EachSeed(
            "no metric declares a blank that the table of corruptions does not allow",
            {f"blanks that the sheet does not allow, {kind}": Range(0, 0) for kind in KINDS},
        ),
        *(EachSeed(says, {name: at_most(1.0)}) for name, says in EXACT.items()),
        EachSeed(
            "a set is at distance 0 from itself", {"largest distance of a set from itself": at_most(1e-6)}
        ),
        EachSeed(
            "the extrapolated Fréchet distance of equal distributions is 0 ± .05",
            {"Fréchet, extrapolated": Range(-0.05, 0.05)},
        ),
        EachSeed(
            "scores of labels and directions are exact",
            {
                "inception score, sure and even": Range(10 - 1e-4, 10 + 1e-4),
                "inception score, always unsure": Range(1 - 1e-4, 1 + 1e-4),
                "Vendi score, 10 directions": Range(10 - 1e-4, 10 + 1e-4),
                "1-NN, far apart": Range(1, 1),
            },
        ),
        EachSeed(
            "the classifier test reaches Φ(½) less .02 for its training, within 4 binomial standard deviations of 2,000 rows",
            {
                "classifier, N(0, 1) against N(1, 1)": Range(
                    CEILING - 0.02 - 4 * math.sqrt(CEILING * (1 - CEILING) / 2000),
                    CEILING + 4 * math.sqrt(CEILING * (1 - CEILING) / 2000),
                )
            },
        ),
    ),
    draw=draw,
)
