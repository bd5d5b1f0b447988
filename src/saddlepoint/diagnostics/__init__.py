"""What a trained or training game is doing: spectra of its field and of the map that a step is."""

from saddlepoint.diagnostics.spectrum import Spectrum, field_spectrum, step_spectrum

__all__ = ["Spectrum", "field_spectrum", "step_spectrum"]
