"""Networks: sizes, both orders of derivatives, samples on their own, transforms, laws of initialisation."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from saddlepoint.errors import InputError
from saddlepoint.networks import DCGAN, MLP, DenseDCGAN, Networks, R3Net, ResNet, for_shape, resample
from saddlepoint.networks.r3net import Bottleneck
from saddlepoint.networks.shapes import pyramid, width_at

FREE = DCGAN(width=2, discriminator_norm="none")
CONVOLUTIONAL = [
    DCGAN(width=2),
    DCGAN(width=2, kernel=5),
    DCGAN(width=2, generator_norm="none", discriminator_norm="none"),
    DenseDCGAN(width=2, dense=8),
    ResNet(width=2),
    R3Net(width=4, blocks=1, group=4),
]
EVERY = [MLP(width=8), *CONVOLUTIONAL]
# Discriminators that score every sample by itself.
NORM_FREE = [
    MLP(width=8),
    MLP(width=8, activation="leaky_relu"),
    FREE,
    DenseDCGAN(width=2, dense=8, discriminator_norm="none"),
    ResNet(width=2),
    R3Net(width=4, group=4),
]
SHAPES = [
    (1, 8, 8),
    (2, 28, 28),
    (3, 32, 32),
    (4, 20, 36),
    (3, 64, 64),
    (1, 256, 256),
    (2, 37, 11),
    (1, 9, 255),
]

every = pytest.mark.parametrize("networks", EVERY, ids=repr)
norm_free = pytest.mark.parametrize("networks", NORM_FREE, ids=repr)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def images(count: int, shape: tuple[int, ...]) -> Tensor:
    return torch.rand(count, *shape) * 2 - 1


def shaken(module: nn.Module, by: float = 0.3) -> nn.Module:
    """The module away from its special initial point, where whole branches are zero."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += by * torch.randn_like(parameter) / math.sqrt(max(1, parameter[0].numel()))
    return module


def penalty(module: nn.Module, points: Tensor) -> Tensor:
    """E |grad D(x)|^2 / 2, differentiable in the parameters."""
    points = points.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(module(points).sum(), points, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean() / 2


# ---- shapes


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@every
def test_sizes_and_range(networks: Networks, shape: tuple[int, ...]) -> None:
    pair = networks.build(shape, latent=5)
    with torch.no_grad():
        fake = pair["generator"](torch.randn(2, 5))
        score = pair["discriminator"](fake)
    assert fake.shape == (2, *shape)
    assert fake.abs().max() <= 1
    assert fake.std() > 0
    assert score.shape == (2,)
    assert torch.isfinite(score).all()


@pytest.mark.parametrize("kernel", [3, 4, 5, 6, 7])
def test_dcgan_reaches_every_size(kernel: int) -> None:
    """Halving and doubling are inverse in size for every side, for even and odd kernels."""
    networks = DCGAN(width=1, kernel=kernel)
    for side in [*range(8, 41), 255, 256]:
        pair = networks.build((1, side, 49 - min(side, 40)), latent=1)
        with torch.no_grad():
            assert pair["generator"](torch.randn(2, 1)).shape == (2, 1, side, 49 - min(side, 40))


def test_smallest_grid() -> None:
    """The smaller side ends between 4 and 7 for every size; 18 ends at 4 halved downwards, at 5 upwards."""
    for side in range(8, 257):
        for halve in (lambda n: n // 2, lambda n: (n + 1) // 2):
            assert 4 <= pyramid((side, 256), halve)[-1][0] <= 7
    for networks, grid in ((DCGAN(width=1), 4), (DCGAN(width=1, kernel=5), 5), (ResNet(width=1), 5)):
        assert networks.build((1, 18, 18), 4)["generator"][1].unflattened_size[1:] == (grid, grid)


def test_maps_are_halved_beyond_32() -> None:
    assert [width_at(64, (side, 256)) for side in (8, 32, 33, 64, 65, 128, 256)] == [
        64,
        64,
        32,
        32,
        16,
        16,
        8,
    ]
    assert width_at(2, (256, 256)) == 1
    network = R3Net(width=64, blocks=1).build((3, 64, 64), latent=4)["discriminator"]
    assert [layer.branch[0].in_channels for layer in network if isinstance(layer, Bottleneck)] == [
        32,
        64,
        64,
        64,
        64,
    ]


def test_vectors_leave_the_generator_unbounded() -> None:
    pair = MLP(width=16, depth=3).build((2,), latent=3)
    assert [type(layer).__name__ for layer in pair["generator"]] == ["Linear", "ReLU"] * 3 + ["Linear"]
    samples = pair["generator"](1e3 * torch.randn(64, 3))
    assert samples.shape == (64, 2)
    assert samples.abs().max() > 1
    assert pair["discriminator"](samples).shape == (64,)


def test_published_sizes() -> None:
    """Parameters counted by hand from the papers' tables.

    M08 toy pair, three hidden layers of 512; SN-GAN CIFAR-10 (D: 128 maps, blocks 3->128, then 128->128,
    shortcuts with 1x1 convolution in the two halving blocks; G: 4x4x256 from 128 numbers, three blocks of
    256).
    """

    def count(module: nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    def conv(inputs: int, outputs: int, kernel: int) -> int:
        return inputs * outputs * kernel**2 + outputs

    toy = MLP(width=512, depth=3).build((2,), latent=2)
    assert count(toy["discriminator"]) == (2 + 1) * 512 + 2 * (512 + 1) * 512 + 512 + 1
    pair = ResNet(width=128).build((3, 32, 32), latent=128)
    inner = 2 * conv(128, 128, 3)
    first = conv(3, 128, 3) + conv(128, 128, 3) + conv(3, 128, 1)
    assert count(pair["discriminator"]) == first + (inner + conv(128, 128, 1)) + 2 * inner + 129
    block = 2 * conv(256, 256, 3) + conv(256, 256, 1) + 2 * 512
    assert count(pair["generator"]) == 129 * 4096 + 3 * block + 512 + conv(256, 3, 3)


def test_default_by_shape() -> None:
    assert for_shape((2,)) == MLP()
    assert for_shape((1, 28, 28)) == DCGAN()


@pytest.mark.parametrize("networks", CONVOLUTIONAL, ids=repr)
@pytest.mark.parametrize(
    "shape", [(2,), (0, 32, 32), (3, 7, 32), (3, 32, 257), (3, 32), (1, 3, 32, 32)], ids=str
)
def test_unfit_shapes_are_refused(networks: Networks, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as refusal:
        networks.build(shape, latent=4)
    assert str(shape) in str(refusal.value)
    assert type(networks).__name__ in str(refusal.value)


@every
def test_latent_and_labels_are_checked(networks: Networks) -> None:
    with pytest.raises(InputError, match="not 0"):
        networks.build((1, 8, 8), latent=0)
    with pytest.raises(InputError, match="not 10"):
        networks.build((1, 8, 8), latent=4, classes=10)


@pytest.mark.parametrize(
    ("value", "arguments"),
    [
        (MLP, {"width": 0}),
        (MLP, {"depth": 0}),
        (MLP, {"activation": "swish"}),
        (DCGAN, {"width": -1}),
        (DCGAN, {"kernel": 2}),
        (DCGAN, {"generator_norm": "layer"}),
        (ResNet, {"width": 0}),
        (R3Net, {"blocks": 0}),
        (R3Net, {"group": 0}),
    ],
)
def test_bad_numbers_are_refused(value: type, arguments: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"{value.__name__}.*{next(iter(arguments.values()))}"):
        value(**arguments)


def test_mlp_refuses_shapes_without_numbers() -> None:
    for shape in ((), (0,), (3, 0, 8), (3, 8)):
        with pytest.raises(InputError):
            MLP().build(shape, latent=2)


def test_import_without_torch() -> None:
    code = "import saddlepoint.networks, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- derivatives


@every
def test_second_derivatives_reach_every_weight(networks: Networks) -> None:
    """The gradient of a gradient penalty is finite everywhere and zero for no weight."""
    discriminator = shaken(networks.build((2, 12, 17), latent=4)["discriminator"])
    penalty(discriminator, images(6, (2, 12, 17))).backward()
    for name, parameter in discriminator.named_parameters():
        if parameter.ndim > 1:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().max() > 0, name


@every
def test_second_derivatives_through_the_generator(networks: Networks) -> None:
    """Path-length and consensus terms differentiate the generator twice."""
    generator = shaken(networks.build((1, 9, 8), latent=3)["generator"])
    penalty(lambda z: generator(z).square().flatten(1).sum(1), torch.randn(4, 3)).backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        if parameter.ndim > 1:
            assert parameter.grad.abs().max() > 0, name


@every
def test_derivatives_against_finite_differences(networks: Networks) -> None:
    """float64 throughout; both orders of derivatives in the input and in a weight of every layer."""
    pair = networks.build((1, 8, 8), latent=2)
    for module, rows in (
        (pair["generator"], torch.randn(3, 2)),
        (pair["discriminator"], images(3, (1, 8, 8))),
    ):
        network = shaken(module.double()).eval()
        names = [name for name, parameter in network.named_parameters() if parameter.ndim > 1]
        scales = torch.ones(len(names), dtype=torch.float64, requires_grad=True)
        state = {name: parameter.detach() for name, parameter in network.named_parameters()}

        def output(x: Tensor, scales: Tensor, network=network, names=names, state=state) -> Tensor:
            scaled = {name: state[name] * scale for name, scale in zip(names, scales, strict=True)}
            rows = functional_call(network, {**state, **scaled}, (x,)).flatten(1 if x.shape[1] == 2 else 0)
            return rows.sum() + rows.square().mean()

        inputs = (rows.double().requires_grad_(), scales)
        assert output(*inputs).dtype == torch.float64
        assert torch.autograd.gradcheck(output, inputs, eps=1e-6, atol=1e-5, fast_mode=True)
        assert torch.autograd.gradgradcheck(output, inputs, eps=1e-6, atol=1e-5, fast_mode=True)


# ---- samples among each other


@norm_free
def test_samples_are_scored_by_themselves(networks: Networks) -> None:
    discriminator = shaken(networks.build((3, 20, 13), latent=4)["discriminator"]).train()
    points = images(8, (3, 20, 13))
    halves = torch.cat([discriminator(points[:4]), discriminator(points[4:])])
    torch.testing.assert_close(discriminator(points), halves, rtol=1e-5, atol=1e-5)


def test_batch_statistics_couple_samples() -> None:
    discriminator = DCGAN(width=4).build((3, 32, 32), latent=4)["discriminator"].train()
    points = images(8, (3, 32, 32))
    halves = torch.cat([discriminator(points[:4]), discriminator(points[4:])])
    assert (discriminator(points) - halves).abs().max() > 1e-3
    generator = DCGAN(width=4).build((3, 32, 32), latent=4)["generator"].train()
    latent = torch.randn(8, 4)
    assert (generator(latent)[:4] - generator(latent[:4])).abs().max() > 1e-4


# ---- transforms and executions


@norm_free
def test_vmapped_gradients_equal_solo_ones(networks: Networks) -> None:
    """vmap(grad(score + penalty)) over three members equals autograd member by member."""
    shape = (1, 9, 8)
    members = [shaken(networks.build(shape, latent=4)["discriminator"]) for _ in range(3)]
    parameters, buffers = stack_module_state(members)
    points = images(4, shape)

    def loss(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        def score(x: Tensor) -> Tensor:
            return functional_call(members[0], (parameters, buffers), (x,)).sum()

        return score(points) + grad(score)(points).square().sum() / 8

    together = vmap(grad(loss))(parameters, buffers)
    for i, member in enumerate(members):
        (member(points).sum() + penalty(member, points)).backward()
        for name, parameter in member.named_parameters():
            alone = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            torch.testing.assert_close(together[name][i], alone, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("networks", [DCGAN(width=2), ResNet(width=2)], ids=repr)
def test_batch_normalised_members_under_vmap(networks: Networks) -> None:
    """Statistics cloned inside the transform: gradients and moved statistics equal those of solo modules."""
    members = [networks.build((1, 8, 9), latent=3)["generator"] for _ in range(2)]
    parameters, buffers = stack_module_state(members)
    latent = torch.randn(5, 3)

    def loss(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        buffers = {name: buffer.clone() for name, buffer in buffers.items()}
        return functional_call(members[0], (parameters, buffers), (latent,)).square().sum(), buffers

    gradients, moved = vmap(grad(loss, has_aux=True))(parameters, buffers)
    for i, member in enumerate(members):
        member(latent).square().sum().backward()
        for name, parameter in member.named_parameters():
            torch.testing.assert_close(gradients[name][i], parameter.grad, rtol=1e-4, atol=1e-5)
        for name, buffer in member.named_buffers():
            torch.testing.assert_close(moved[name][i], buffer, rtol=1e-5, atol=1e-6)


def test_compiled_equals_plain() -> None:
    """One whole graph of forward, input gradient and gradient of both, against plain execution."""
    pair = R3Net(width=4, blocks=1, group=4).build((1, 8, 9), latent=3)
    generator, discriminator = shaken(pair["generator"]), shaken(pair["discriminator"])
    parameters = {name: p.detach() for name, p in discriminator.named_parameters()}

    def loss(parameters: dict[str, Tensor], latent: Tensor) -> Tensor:
        def score(x: Tensor) -> Tensor:
            return functional_call(discriminator, parameters, (x,)).sum()

        fake = generator(latent)
        return score(fake) + grad(score)(fake).square().sum()

    compiled = torch.compile(grad(loss), backend="aot_eager", fullgraph=True, dynamic=False)
    latent = torch.randn(4, 3)
    with torch.no_grad():
        plain, traced = grad(loss)(parameters, latent), compiled(parameters, latent)
    for name in plain:
        torch.testing.assert_close(traced[name], plain[name], rtol=1e-5, atol=1e-6)


@every
def test_meta_skeleton(networks: Networks) -> None:
    """A skeleton without storage computes the same bits from the parameters and buffers of a real module."""
    with torch.device("meta"):
        skeletons = networks.build((1, 12, 9), latent=3)
    pair = networks.build((1, 12, 9), latent=3)
    for player, rows in (("generator", torch.randn(4, 3)), ("discriminator", images(4, (1, 12, 9)))):
        real, skeleton = pair[player].eval(), skeletons[player].eval()
        assert all(tensor.is_meta for tensor in [*skeleton.parameters(), *skeleton.buffers()])
        state = {**dict(real.named_parameters()), **dict(real.named_buffers())}
        assert torch.equal(functional_call(skeleton, state, (rows,)), real(rows))


@every
def test_memory_formats_and_precisions(networks: Networks) -> None:
    """channels-last to rounding; bf16 autocast within 5 % of the spread of the outputs."""
    pair = networks.build((3, 16, 20), latent=4)
    for player, rows in (("generator", torch.randn(16, 4)), ("discriminator", images(16, (3, 16, 20)))):
        module = pair[player].eval()
        with torch.no_grad():
            plain = module(rows)
            with torch.autocast("cpu", torch.bfloat16):
                half = module(rows).float()
            module.to(memory_format=torch.channels_last)
            last = module(rows.contiguous(memory_format=torch.channels_last) if rows.ndim == 4 else rows)
        torch.testing.assert_close(last, plain, rtol=1e-4, atol=1e-5)
        assert (half - plain).square().mean().sqrt() <= 0.05 * plain.abs().max()


@every
def test_same_seed_same_weights(networks: Networks) -> None:
    def build(seed: int) -> list[Tensor]:
        torch.manual_seed(seed)
        pair = networks.build((1, 8, 8), latent=3)
        return [p for player in sorted(pair) for p in pair[player].parameters()]

    first, again, other = build(1), build(1), build(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


# ---- resampling


@pytest.mark.parametrize("size", [8, 9, 16, 37, 256])
def test_resampling_keeps_constants(size: int) -> None:
    for up in (resample.nearest(size), resample.bilinear(size)):
        assert up.shape == (size, (size + 1) // 2)
        for matrix in (up, resample.adjoint(up)):
            torch.testing.assert_close(matrix.sum(1), torch.ones(matrix.shape[0]))
            assert (matrix >= 0).all()


def test_bilinear_doubling_repeats_the_last_value() -> None:
    assert resample.bilinear(6).tolist() == [
        [1, 0, 0],
        [0.5, 0.5, 0],
        [0, 1, 0],
        [0, 0.5, 0.5],
        [0, 0, 1],
        [0, 0, 1],
    ]


def test_resampling_against_torch() -> None:
    x, small = torch.randn(2, 3, 12, 16), torch.randn(2, 3, 6, 8)
    torch.testing.assert_close(resample.nearest_up((12, 16))(small), F.interpolate(small, scale_factor=2))
    torch.testing.assert_close(resample.average_down((12, 16))(x), F.avg_pool2d(x, 2))
    aligned = F.interpolate(small, size=(11, 15), mode="bilinear", align_corners=True)
    torch.testing.assert_close(resample.bilinear_up((11, 15))(small), aligned)
    torch.testing.assert_close(resample.bilinear_up((12, 16))(small)[..., :11, :15], aligned)
    filters = torch.tensor([1.0, 2.0, 1.0])
    kernel = (torch.outer(filters, filters) / 16).expand(3, 1, 3, 3)
    inside = F.conv2d(x, kernel, stride=2, padding=1, groups=3)[..., 1:-1, 1:-1]
    torch.testing.assert_close(resample.bilinear_down((12, 16))(x)[..., 1:-1, 1:-1], inside)


def test_shortcut_commutes_with_resampling() -> None:
    """Why the cheap order of a 1x1 convolution and a resampling is the same function, at odd sizes too."""
    convolution = nn.Conv2d(3, 5, 1)
    for layer, x in (
        (resample.nearest_up((9, 14)), torch.randn(2, 3, 5, 7)),
        (resample.average_down((9, 14)), torch.randn(2, 3, 9, 14)),
        (resample.bilinear_up((9, 14)), torch.randn(2, 3, 5, 7)),
        (resample.bilinear_down((9, 14)), torch.randn(2, 3, 9, 14)),
    ):
        torch.testing.assert_close(convolution(layer(x)), layer(convolution(x)))


# ---- initialisation: every tolerance is five standard errors of the estimate for independent weights


def test_dcgan_initial_weights() -> None:
    pair = DCGAN(width=32).build((3, 32, 32), latent=64)
    for module in (layer for network in pair.values() for layer in network.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.BatchNorm2d):
            centre = 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0
            weight, n = module.weight, module.weight.numel()
            assert abs(weight.mean() - centre) < 5 * 0.02 / math.sqrt(n)
            assert abs(weight.std() - 0.02) < 5 * 0.02 / math.sqrt(2 * (n - 1))
            assert module.bias is None or not module.bias.any()


def test_dcgan_places_of_normalisation() -> None:
    def normalised(networks: DCGAN, player: str) -> str:
        letters = {
            nn.Conv2d: "c",
            nn.ConvTranspose2d: "t",
            nn.Linear: "l",
            nn.BatchNorm1d: "b",
            nn.BatchNorm2d: "b",
        }
        return "".join(letters.get(type(layer), "") for layer in networks.build((3, 64, 64), 4)[player])

    assert normalised(DCGAN(width=2), "generator") == "lbtbtbtbt"
    assert normalised(DCGAN(width=2), "discriminator") == "ccbcbcbl"
    assert normalised(DenseDCGAN(width=2, dense=8), "generator") == "lb" + "lbtbtbtbt"
    assert normalised(DenseDCGAN(width=2, dense=8), "discriminator") == "ccbcbcb" + "lbl"
    assert normalised(FREE, "generator") == "lbtbtbtbt"
    assert normalised(FREE, "discriminator") == "ccccl"


def test_resnet_initial_weights() -> None:
    """Uniform on [-b, b], b = gain sqrt(6 / (inputs + outputs)), whose standard deviation is b / sqrt(3)."""
    pair = ResNet(width=8).build((3, 32, 32), latent=16)
    for network in pair.values():
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                weight, n = module.weight, module.weight.numel()
                field = weight[0, 0].numel()
                inside = "branch" in name or "after" in name
                bound = math.sqrt(2 if inside else 1) * math.sqrt(6 / (field * sum(weight.shape[:2])))
                assert weight.abs().max() <= bound
                # Standard error of a mean of squares of uniform numbers: E w^4 - (E w^2)^2 = b^4 4 / 45.
                error = bound**2 * math.sqrt(4 / 45 / n)
                assert abs(weight.square().mean() - bound**2 / 3) < 5 * error


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_fix_up_branches_start_at_zero(player: str) -> None:
    """Every residual block is exactly the identity, and the network exactly that without its blocks."""
    network = R3Net(width=8, blocks=3).build((3, 20, 16), latent=4)[player]
    blocks = [layer for layer in network if isinstance(layer, Bottleneck)]
    assert len(blocks) == 9  # three at 20x16, 10x8 and 5x4
    for block in blocks:
        x = torch.randn(2, 8, 6, 5)
        assert torch.equal(block(x), x)
    without = nn.Sequential(*(layer for layer in network if not isinstance(layer, Bottleneck)))
    rows = torch.randn(3, 4) if player == "generator" else images(3, (3, 20, 16))
    assert torch.equal(network(rows), without(rows))


def test_fix_up_step_does_not_grow_with_depth() -> None:
    """|gradient|^2 over the branches, the speed of gradient descent, is the same for 2 and for 32 blocks.

    Features inside a branch shrink by L^(-1/4) twice, so each of L last layers has a squared gradient of
    order 1/L. Without the scaling the ratio would be 16; the mean over 12 seeds must lie within [1/2, 2].
    """

    def speed(blocks: int) -> float:
        network = R3Net(width=16, blocks=blocks, group=8).build((1, 8, 8), latent=4)["discriminator"]
        network(torch.randn(32, 1, 8, 8)).mean().backward()
        last = [layer.branch[-1].weight.grad for layer in network if isinstance(layer, Bottleneck)]
        assert len(last) == 2 * blocks
        return float(sum(gradient.square().sum() for gradient in last))

    shallow, deep = (sum(speed(blocks) for _ in range(12)) for blocks in (1, 16))
    assert 1 / 2 < deep / shallow < 2


@pytest.mark.parametrize(("side", "blocks"), [(8, 1), (32, 1), (32, 8), (64, 2)])
def test_initial_spread_of_r3net_against_its_closed_form(side: int, blocks: int) -> None:
    """Mean square before tanh, over weights and latent: the product over both axes of mean_i sum_j A_ij^2,

    A the product of the doubling matrices, since grid, scale and 1x1 convolutions keep a second moment of
    one. It lies in (4/9, 1] for every depth. A constant image 1 has E D^2 = 1. Both within 5 standard
    errors.
    """
    networks, sizes = R3Net(width=8, blocks=blocks, group=8), pyramid((side, side), lambda n: (n + 1) // 2)
    doubling = torch.linalg.multi_dot([torch.eye(side), *(resample.bilinear(size[0]) for size in sizes[:-1])])
    expected = doubling.square().sum(1).mean() ** 2
    assert 4 / 9 < expected <= 1
    spread, scores = [], []
    for _ in range(60):
        pair = networks.build((2, side, side), latent=16)
        with torch.no_grad():
            spread.append(pair["generator"][:-1](torch.randn(8, 16)).square().mean())
            scores.append(pair["discriminator"](torch.ones(1, 2, side, side)).square().squeeze())
    for values, truth in ((torch.stack(spread), expected), (torch.stack(scores), 1.0)):
        assert abs(values.mean() - truth) < 5 * values.std() / math.sqrt(len(values))
