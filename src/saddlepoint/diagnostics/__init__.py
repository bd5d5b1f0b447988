"""What a trained or training game is doing: spectra of its field and of the map that a step is."""

from saddlepoint.diagnostics.gradients import Confidence, Gradient, GradientHealth, gradient_health
from saddlepoint.diagnostics.lipschitz import Lipschitz, lipschitz
from saddlepoint.diagnostics.nash import Nash, Own, local_gain, local_nash
from saddlepoint.diagnostics.spectrum import Spectrum, field_spectrum, step_spectrum
from saddlepoint.diagnostics.weights import Histogram, clipped_share, weight_histogram

__all__ = [
    "Confidence",
    "Gradient",
    "GradientHealth",
    "Histogram",
    "Lipschitz",
    "Nash",
    "Own",
    "Spectrum",
    "clipped_share",
    "field_spectrum",
    "gradient_health",
    "lipschitz",
    "local_gain",
    "local_nash",
    "step_spectrum",
    "weight_histogram",
]
