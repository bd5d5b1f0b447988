"""Precision and recall on the manifold of convex polygons (K29)."""

from torch import Tensor

from saddlepoint.metrics.intervals import share
from saddlepoint.metrics.latent import nearest_latents
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.polygons import DELTA, polygon_distances, polygon_scores
from saddlepoint.metrics.quantities import Model, Progress
from saddlepoint.random import key

ROWS = 500
RESTARTS = 3
STEPS = 200


def measure(
    model: Model, real_images: Tensor, fake_images: Tensor, corners: int, seed: int, progress: Progress
) -> dict[str, Measured]:
    """Of the first 500 fakes and held-out polygons; intervals are over these, the effort being part of the metric."""
    targets = real_images[:ROWS]
    starts = model.latents(RESTARTS * len(targets), key("start", seed)).view(RESTARTS, len(targets), -1)
    found = nearest_latents(generate=model.generate, targets=targets, starts=starts, steps=STEPS)
    inverted = (
        found.errors * targets[0].numel() / 4
    )  # squared, of grey levels from 0 to 1, summed over pixels
    progress(1, 2)
    distances = polygon_distances(samples=fake_images[:ROWS], corners=corners)
    progress(2, 2)
    note = f"{len(distances)} fakes, {len(targets)} polygons, {RESTARTS} starts, {STEPS} steps; delta {DELTA}"
    return {
        "polygon-precision": Measured(*_share(distances), note),
        "polygon-recall": Measured(*_share(inverted), note),
        "polygon-f1": Measured(polygon_scores(fake=distances, inverted=inverted).f1, note=note),
    }


def _share(distances: Tensor) -> tuple[float, tuple[float, float] | None]:
    found = share(distances < DELTA)
    return found.value, found.interval


METRIC = Metric(
    id="polygons",
    title="precision and recall on convex polygons",
    formula="share of fakes with |x - p|^2 < 0.75 for a polygon p; share of held-out polygons p with "
    "min_z |p - G(z)|^2 < 0.75, grey levels from 0 to 1, summed over the pixels; their harmonic mean",
    paper="Lucic et al., Are GANs Created Equal?, NeurIPS 2018, section 5",
    rows=("K29",),
    better={"polygon-precision": "higher", "polygon-recall": "higher", "polygon-f1": "higher"},
    blind="how often a polygon is generated; a search that stops early looks like a polygon that is missing",
    measure=measure,
    slow=True,
)
