"""Bidirectional GAN (M37): the game of ALI with a deterministic encoder."""

from dataclasses import replace

from saddlepoint.methods import ali

METHOD = replace(
    ali.METHOD,
    name="bigan",
    paper="Donahue, Krahenbuhl & Darrell, Adversarial Feature Learning, ICLR 2017, arXiv:1605.09782",
    deviations=ali.METHOD.deviations[1:],
)
