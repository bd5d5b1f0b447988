"""What is done to points before the discriminator judges them: noise and augmentation, for reals and fakes alike."""

from saddlepoint.treatments.ada import ADA
from saddlepoint.treatments.base import Treatment
from saddlepoint.treatments.diffaugment import DiffAugment
from saddlepoint.treatments.instance_noise import InstanceNoise

__all__ = ["ADA", "DiffAugment", "InstanceNoise", "Treatment"]
