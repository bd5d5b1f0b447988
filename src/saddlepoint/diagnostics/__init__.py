"""What a trained or training game is doing: its field and orbits, spectra of its field and of the map that a step is,
gradients, slopes, weights and local equilibria, a trained pair over the plane that its data lie in, the vitals of a run."""

from saddlepoint.diagnostics.fields import Field, draw_portrait, trajectory, vector_field
from saddlepoint.diagnostics.gradients import Confidence, Gradient, GradientHealth, gradient_health
from saddlepoint.diagnostics.lipschitz import Lipschitz, lipschitz
from saddlepoint.diagnostics.nash import Nash, Own, local_gain, local_nash
from saddlepoint.diagnostics.planes import Plane, draw_plane, plane
from saddlepoint.diagnostics.signs import Finding, findings
from saddlepoint.diagnostics.spectrum import Spectrum, draw_spectrum, field_spectrum, step_spectrum
from saddlepoint.diagnostics.vitals import Vitals
from saddlepoint.diagnostics.weights import Histogram, clipped_share, weight_histogram

__all__ = [
    "Confidence",
    "Field",
    "Finding",
    "Gradient",
    "GradientHealth",
    "Histogram",
    "Lipschitz",
    "Nash",
    "Own",
    "Plane",
    "Spectrum",
    "Vitals",
    "clipped_share",
    "draw_plane",
    "draw_portrait",
    "draw_spectrum",
    "field_spectrum",
    "findings",
    "gradient_health",
    "lipschitz",
    "local_gain",
    "local_nash",
    "plane",
    "step_spectrum",
    "trajectory",
    "vector_field",
    "weight_histogram",
]
