"""What metrics look into: a run of the ring as latents, differentiable samples and scores."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import saddlepoint
from saddlepoint import Budget, Run, Settings, methods
from saddlepoint.errors import InputError
from saddlepoint.networks import MLP
from saddlepoint.sampling import latents

SETTINGS = Settings(evaluations=1, evaluation_samples=100, pictures=1, threads=1)


def ring(out: Path, method: str = "gan-r1") -> Run:
    return saddlepoint.train(
        methods.get(method), "ring", MLP(width=4), out=out, budget=Budget(steps=3), settings=SETTINGS
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ring(tmp_path_factory.mktemp("model") / "run")


def test_generates_what_the_run_renders(run: Run) -> None:
    model = run.model()
    z = model.latents(20, seed=1)
    rendered = run.render({"latent": z})
    assert model.name == "run"
    assert torch.equal(model.generate(z).detach(), rendered)
    exported = run.generator()
    torch.testing.assert_close(exported(z), model.generate(z))


def test_samples_are_differentiable_in_the_latents(run: Run) -> None:
    """Along a direction, against central differences of a network in float32 (step 1e-2, curvature of order 1)."""
    model = run.model()
    z, direction = model.latents(8, seed=1), model.latents(8, seed=2)
    leaf = z.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model.generate(leaf).sum(), leaf)
    ahead, behind = (model.generate(z + sign * 0.01 * direction).detach().sum(1) for sign in (1, -1))
    expected = (ahead - behind) / 0.02
    torch.testing.assert_close((gradient * direction).sum(1), expected, atol=2e-3, rtol=2e-2)
    assert expected.abs().max() > 0.01


def test_rows_do_not_depend_on_the_batch(run: Run) -> None:
    model = run.model()
    z = model.latents(20, seed=1)
    torch.testing.assert_close(model.generate(z[3:4]), model.generate(z)[3:4])
    points = model.generate(z)
    torch.testing.assert_close(model.judge(points[3:4]), model.judge(points)[3:4])
    assert model.judge(points).shape == (20,)


def test_judges_with_the_discriminator_of_the_checkpoint(run: Run) -> None:
    model = run.model()
    points = run.data.held_out(30)["real"]
    module = run.plan.modules()["discriminator"]
    named = run.game.networks["discriminator"].layout.named(model.players["discriminator"])
    module.load_state_dict(named, strict=False)
    torch.testing.assert_close(model.judge(points), module.eval()(points).flatten())


def test_an_energy_is_turned_so_that_higher_means_real(tmp_path: Path) -> None:
    run = ring(tmp_path / "run", "ls-gan")
    model = run.model()
    points = run.data.held_out(30)["real"]
    module = run.plan.modules()["discriminator"]
    named = run.game.networks["discriminator"].layout.named(model.players["discriminator"])
    module.load_state_dict(named, strict=False)
    torch.testing.assert_close(model.judge(points), -module.eval()(points).flatten())


def test_without_a_discriminator_nothing_can_be_judged(tmp_path: Path) -> None:
    model = ring(tmp_path / "run", "mmd-gan-fixed").model()
    with pytest.raises(InputError, match="trains no discriminator"):
        model.judge(model.generate(model.latents(4, 0)))


def test_latents_are_keyed_by_their_own_name(run: Run) -> None:
    """Not the noise of samples that were looked at, so that a metric does not reuse them unawares."""
    model = run.model()
    assert torch.equal(model.latents(4, 0), model.latents(8, 0)[:4])
    assert not torch.equal(model.latents(4, 0), model.latents(4, 1))
    assert not torch.equal(model.latents(4, 0), latents(run.method, 4, 0, "sample")["latent"])
