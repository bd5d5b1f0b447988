"""Training steps as a careful person writes them by hand in PyTorch: the other side of benchmarks/step.py.

`.backward()`, fused Adam, `zero_grad(set_to_none=True)`, fakes made without a graph in the discriminator's step, fresh noise
for each player. `frozen`: as a few repositories do, the discriminator's parameters also stop requiring gradients during
the generator's step. Nothing of ours is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.nn.utils.parametrizations import spectral_norm


@dataclass
class Hand:
    """One alternating step; `loss` is ns, rpgan-r1, wgan-gp, sn or r1, `real` the data as one tensor."""

    generator: nn.Module
    discriminator: nn.Module
    loss: str
    real: Tensor
    latent: int
    rows: int
    frozen: bool = False

    def __post_init__(self) -> None:
        if self.loss == "sn":
            for module in list(self.discriminator.modules()):
                if isinstance(module, (nn.Linear, nn.Conv2d)):
                    spectral_norm(module)
        self.optimizers = [
            torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999), fused=True)
            for net in (self.generator, self.discriminator)
        ]

    def noise(self) -> Tensor:
        return torch.randn(self.rows, self.latent)

    def data(self) -> Tensor:
        return self.real[torch.randint(len(self.real), (self.rows,))]

    def step(self) -> None:
        self.freeze(True)
        real = self.data() if self.loss == "rpgan-r1" else None
        self.move(0, lambda: self.generator_loss(self.noise(), real))
        self.freeze(False)
        self.move(1, lambda: self.discriminator_loss(self.noise(), self.data(), torch.rand(self.rows)))

    def freeze(self, still: bool) -> None:
        if self.frozen:
            for p in self.discriminator.parameters():
                p.requires_grad_(not still)

    def move(self, player: int, loss: Callable[[], Tensor]) -> None:
        self.optimizers[player].zero_grad(set_to_none=True)
        loss().backward()
        self.optimizers[player].step()

    def generator_loss(self, z: Tensor, real: Tensor | None = None) -> Tensor:
        score = self.discriminator(self.generator(z))
        if self.loss in ("wgan-gp", "sn"):
            return -score.mean()
        if real is not None:
            return softplus(self.discriminator(real) - score).mean()
        return softplus(-score).mean()

    def discriminator_loss(self, z: Tensor, real: Tensor, mix: Tensor) -> Tensor:
        with torch.no_grad():
            fake = self.generator(z)
        if self.loss in ("r1", "rpgan-r1"):
            real = real.requires_grad_()
        s_real, s_fake = self.discriminator(real), self.discriminator(fake)
        if self.loss == "ns":
            return softplus(-s_real).mean() + softplus(s_fake).mean()
        if self.loss == "sn":
            return torch.relu(1 - s_real).mean() + torch.relu(1 + s_fake).mean()
        if self.loss == "wgan-gp":
            x = torch.lerp(fake, real, mix[:, None]).requires_grad_()
            slope = self.slope(self.discriminator(x), x)
            return s_fake.mean() - s_real.mean() + 10 * (slope.norm(2, dim=1) - 1).square().mean()
        penalty = 0.5 * self.slope(s_real, real).square().sum(1).mean()
        if self.loss == "rpgan-r1":
            return softplus(s_fake - s_real).mean() + penalty
        return softplus(-s_real).mean() + softplus(s_fake).mean() + penalty

    def slope(self, score: Tensor, x: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(score.sum(), x, create_graph=True)
        return gradient.flatten(1)
