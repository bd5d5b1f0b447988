"""TEMPORARY: the loop has moved to saddlepoint/training.py and train() to trained.py; edit those. Deleted soon."""
from saddlepoint.training import *  # noqa: F403
from saddlepoint.training import Training, TrainingFailed, carry_out  # noqa: F401
