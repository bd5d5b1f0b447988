"""How much an adversarial loss counts beside another loss of the same network."""

from __future__ import annotations

import torch
from torch import Tensor


def adaptive_weight(
    reconstruction: Tensor,
    adversarial: Tensor,
    last: Tensor,
    scale: float = 1.0,
    largest: float = 1e4,
    floor: float = 1e-4,
) -> Tensor:
    """scale·min(‖∇_w L_rec‖/(‖∇_w L_adv‖ + floor), largest), a constant, w the weight of the generator's last layer: with
    it both losses pull equally at that layer (Esser et al. 2021, eq. 7; the authors' code multiplies by 0.8 and clamps).

    Both losses keep their graphs. `total = reconstruction + adaptive_weight(reconstruction, adversarial, w) * adversarial`.
    """
    norms = [
        torch.autograd.grad(loss, last, retain_graph=True)[0].float().norm()
        for loss in (reconstruction, adversarial)
    ]
    return scale * (norms[0] / (norms[1] + floor)).clamp(max=largest)
