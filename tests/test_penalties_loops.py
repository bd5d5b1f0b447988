"""Penalties in training loops of other people: a tokenizer-like autoencoder with a discriminator of patches, a
vocoder-like generator of signals with several discriminators, in 16 bits and under wrappers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.functional import leaky_relu
from torch.nn.parallel import DistributedDataParallel

import saddlepoint
from saddlepoint.balance import adaptive_weight
from saddlepoint.objectives import Hinge, LeastSquares
from saddlepoint.penalties import (
    R1,
    R2,
    ApproximateR1,
    Consistency,
    FeatureMatching,
    FiniteDifference,
    GradientPenalty,
    HistoricalAveraging,
    LayerMatching,
    NagarajanKolter,
    NoiseBall,
    PullingAway,
    Real,
    Roth,
    frozen,
)
from saddlepoint.schedules import Delayed, now

PRECISIONS = pytest.mark.parametrize("half", [False, True], ids=["fp32", "bf16"])


def autocast(half: bool) -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16, enabled=half)


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def patches() -> nn.Module:
    """Images to a map of scores, a number a patch: [n, 1, h, w]."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(8, 16, 4, 2, 1),
        nn.SiLU(),
        nn.Conv2d(16, 1, 3, 1, 1),
    )


class Heard(nn.Module):
    """Signals to a score a moment and the features of every layer, after pooling by `scale`."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool1d(scale)
        self.layers = nn.ModuleList([nn.Conv1d(1, 8, 5, 2, 2), nn.Conv1d(8, 16, 5, 2, 2)])
        self.head = nn.Conv1d(16, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        features, hidden = [], self.pool(x)
        for layer in self.layers:
            hidden = leaky_relu(layer(hidden), 0.1)
            features.append(hidden)
        return self.head(hidden), features


class Ears(nn.Module):
    """Several of them: scores and features as lists."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList([Heard(1), Heard(2), Heard(4)])

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        outcomes = [part(x) for part in self.parts]
        return [score for score, _ in outcomes], [features for _, features in outcomes]


# -- whole loops ------------------------------


@PRECISIONS
def test_a_tokenizer(half: bool) -> None:
    """Reconstruction, an adversarial loss that joins at step 4 with an adaptive weight, R1 every second step."""
    encoder = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.SiLU())
    decoder = nn.Sequential(nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.SiLU(), nn.Conv2d(8, 1, 3, 1, 1))
    critic, hinge, penalty = patches(), Hinge(), R1(1.0)
    last, joins = decoder[-1].weight, Delayed(0.8, start=4)
    ours = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-2)
    theirs = torch.optim.Adam(critic.parameters(), 1e-3)
    images, errors = torch.rand(16, 1, 4, 4).round().repeat_interleave(4, 2).repeat_interleave(4, 3), []
    for step in range(24):
        with autocast(half):
            made = decoder(encoder(images))
            error = (made.float() - images).abs().mean()
            adversarial = hinge.generator(frozen(critic)(made))
            weight = now(joins, {"step": step})
            if weight:
                weight = weight * adaptive_weight(error, adversarial, last)
                assert not weight.requires_grad
                assert 0 < weight < 1e4
        ours.zero_grad()
        theirs.zero_grad()
        (error + weight * adversarial).backward()
        assert all(parameter.grad is None for parameter in critic.parameters())
        ours.step()
        with autocast(half):
            loss = hinge.discriminator(critic(images), critic(made.detach()))
            loss = loss + (2 * penalty.of(critic, images) if step % 2 == 0 else 0)
        loss.backward()
        theirs.step()
        errors.append(error.item())
    assert errors[-1] < 0.7 * errors[0]


@PRECISIONS
def test_a_vocoder(half: bool) -> None:
    """Discriminators of several scales, least squares over each, and matching of all their layers."""
    generator = nn.Sequential(
        nn.Conv1d(4, 16, 5, 1, 2), nn.LeakyReLU(0.1), nn.ConvTranspose1d(16, 1, 8, 4, 2)
    )
    ears, squares, matching = Ears(), LeastSquares(), LayerMatching(2.0)
    mine, theirs = torch.optim.Adam(generator.parameters(), 3e-3), torch.optim.Adam(ears.parameters(), 1e-3)
    time = torch.linspace(0, 20, 64)
    sound = torch.stack([torch.sin(time * rate) for rate in (1.0, 1.5, 2.0, 2.5)])[:, None]
    coarse = sound.unfold(2, 4, 4).squeeze(1).transpose(1, 2)
    apart = []
    for _ in range(24):
        with autocast(half):
            made = generator(coarse)
            real, fake = ears(sound), ears(made.detach())
            loss = sum(
                squares.discriminator(r.float(), f.float()) for r, f in zip(real[0], fake[0], strict=True)
            )
        theirs.zero_grad()
        loss.backward()
        theirs.step()
        with autocast(half):
            still = frozen(ears)
            (_, real_features), (scores, fake_features) = still(sound), still(made)
            distance = matching.of(real_features, fake_features)
            total = sum(squares.generator(score.float()) for score in scores) + distance
        mine.zero_grad()
        total.backward()
        mine.step()
        apart.append(distance.item())
    assert distance.dtype == torch.float32
    assert apart[-1] < 0.7 * apart[0]


# -- the adaptive weight ------------------------------


def test_adaptive_weight_by_hand() -> None:
    """‖∇_w L_rec‖/(‖∇_w L_adv‖ + 1e-4) for losses a·w and b·w, clamped, a constant; both graphs live on."""
    w = torch.zeros(2, requires_grad=True)
    a, b = torch.tensor([3.0, 4.0]), torch.tensor([0.0, 2.0])
    first, second = a @ w, b @ w
    found = adaptive_weight(first, second, w, scale=0.8)
    assert found.item() == pytest.approx(0.8 * 5 / 2.0001)
    assert not found.requires_grad
    total = torch.autograd.grad(first + found * second, w, retain_graph=True)[0]
    torch.testing.assert_close(total, a + found * b)
    assert adaptive_weight(first, (1e-9 * b) @ w, w, largest=100.0).item() == 100
    assert adaptive_weight(first, 0 * second, w).item() == pytest.approx(1e4)


# -- every entry, in 16 bits and with maps of scores ------------------------------

Entry = Callable[[nn.Module, Tensor, Tensor], Tensor]
ENTRIES: dict[str, Entry] = {
    "R1": lambda critic, x, y: R1(2.0).of(critic, x),
    "R2": lambda critic, x, y: R2(2.0).of(critic, y),
    "interpolates": lambda critic, x, y: GradientPenalty().of(critic, x, y, torch.full((len(x),), 0.3)),
    "one-sided": lambda critic, x, y: GradientPenalty(5.0, 0.001, Real(), "above").of(critic, x),
    "noise ball": lambda critic, x, y: GradientPenalty(at=NoiseBall()).of(critic, x),
    "Roth": lambda critic, x, y: Roth(2.0).of(critic, x, y),
    "approximate R1": lambda critic, x, y: ApproximateR1(10.0, 0.3).of(critic, x),
    "differences": lambda critic, x, y: R1(2.0, by=FiniteDifference(0.3)).of(critic, x),
    "consistency": lambda critic, x, y: Consistency(10.0).of(critic, x, x.flip(3)),
    "Nagarajan-Kolter": lambda critic, x, y: NagarajanKolter().of(
        Hinge().discriminator(critic(x), critic(y)), critic.parameters()
    ),
    "feature matching": lambda critic, x, y: FeatureMatching().of(critic[:2](x), critic[:2](y)),
    "layer matching": lambda critic, x, y: LayerMatching().of(
        [critic[:2](x), critic(x)], [critic[:2](y), critic(y)]
    ),
    "pulling away": lambda critic, x, y: PullingAway().of(critic[:2](y)),
}
EACH = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)


def gradient(entry: Entry, critic: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    torch.manual_seed(3)  # the entries draw their noise from torch's own generator
    value = entry(critic, x, y)
    parts = torch.autograd.grad(value, list(critic.parameters()), materialize_grads=True, allow_unused=True)
    return value, torch.cat([part.flatten() for part in parts])


@EACH
def test_entries_under_autocast(entry: Entry) -> None:
    """Value and gradient leave in float32, and lie within the rounding of 16 bits of those in 32."""
    critic, x, y = patches(), torch.randn(6, 1, 8, 8), torch.randn(6, 1, 8, 8)
    value, exact = gradient(entry, critic, x, y)
    with torch.autocast("cpu", torch.bfloat16):
        rounded, found = gradient(entry, critic, x, y)
    assert (rounded.dtype, found.dtype) == (torch.float32, torch.float32)
    assert exact.norm() > 1e-4
    assert rounded.item() == pytest.approx(value.item(), rel=0.1, abs=1e-4)
    assert (found - exact).norm() < 0.15 * exact.norm()


def test_differences_need_their_digits() -> None:
    """In 16 bits a small step is lost in the rounding of the score; the exact slope is not."""
    critic, x = patches(), torch.randn(6, 1, 8, 8)
    exact = R1(2.0).of(critic, x).item()
    with torch.autocast("cpu", torch.bfloat16):
        assert R1(2.0).of(critic, x).item() == pytest.approx(exact, rel=0.1)
        assert abs(R1(2.0, by=FiniteDifference(1e-5)).of(critic, x).item() - exact) > 0.5 * exact


def test_a_map_of_scores_counts_as_its_mean() -> None:
    """And a list of maps as the mean of their means, so that a weight means the same for all of them."""
    critic, x, w = patches(), torch.randn(4, 1, 8, 8), torch.tensor([1.0, 2.0])
    mean: Callable[[Tensor], Tensor] = lambda x: critic(x).mean((1, 2, 3))  # noqa: E731
    torch.testing.assert_close(R1().of(critic, x), R1().of(mean, x))
    lists: Callable[[Tensor], list[Tensor]] = lambda x: [(x @ w)[:, None], [3 * (x @ w)]]  # noqa: E731
    assert R1(2.0).of(lists, torch.randn(5, 2)).item() == pytest.approx(4 * 5)  # slope 2w
    torch.testing.assert_close(Consistency().of(critic, x, 2 * x), Consistency().of(mean, x, 2 * x))


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'meeting'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("name", ["R1", "interpolates", "Roth", "approximate R1"])
def test_entries_under_data_parallel_wrappers(name: str) -> None:
    """The gradients that backward leaves in a wrapped discriminator are those of the bare one."""
    critic, x, y = patches(), torch.randn(6, 1, 8, 8), torch.randn(6, 1, 8, 8)
    _, exact = gradient(ENTRIES[name], critic, x, y)
    wrapped = DistributedDataParallel(critic)
    torch.manual_seed(3)
    (ENTRIES[name](wrapped, x, y) + 0 * wrapped(x).sum()).backward()
    found = torch.cat([parameter.grad.flatten() for parameter in critic.parameters()])  # type: ignore[union-attr]
    torch.testing.assert_close(found, exact)


def test_historical_averaging_in_an_ordinary_loop() -> None:
    """Plain descent on nothing but the term goes back towards where it has been."""
    module, term = nn.Linear(3, 2), HistoricalAveraging(weight=0.5)
    memory = term.kept(module)
    optimizer = torch.optim.SGD(module.parameters(), 0.5)
    with torch.no_grad():
        module.weight += 1.0
    memory = term.kept(module, memory)
    before = term.of(module, memory)
    optimizer.zero_grad()
    before.backward()
    optimizer.step()  # θ − θ̄ is halved
    assert term.of(module, memory).item() == pytest.approx(before.item() / 4, rel=1e-5)


def test_torch_and_the_leaves_are_all_that_is_imported() -> None:
    code = (
        "import sys, saddlepoint.penalties, saddlepoint.objectives, saddlepoint.balance, saddlepoint.schedules\n"
        "ours = {n.split('.')[1] for n in sys.modules if n.startswith('saddlepoint.')}\n"
        "print(sorted(ours & {'game', 'bound', 'forward', 'network', 'method', 'dynamics', 'training', 'data'}))\n"
        "print(sorted(n for n in ('scipy', 'sklearn', 'matplotlib', 'PIL', 'rich', 'tyro') if n in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(saddlepoint.__file__).parents[1])}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.split("\n")[:2] == ["[]", "[]"]
