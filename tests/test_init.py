"""Each scheme begins a network as it says, torchvision's to the bit; None does nothing."""

from math import sqrt

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import cnnzoo
from cnnzoo.arch import Conv2d, Linear, ReLU, Sequential
from cnnzoo.models import alexnet, caffenet, densenet121, googlenet, googlenet_tv, lenet5, resnet18, resnet50, vgg11
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.drawings import drawings
from cnnzoo.pytorch.modules.init import find_scheme

TORCHVISION = {
    "resnet18": (0.8865256309509277, 240662.11503662038),
    "resnet50": (0.6515359282493591, 790878.5418523115),
    "vgg11_bn": (0.1883595585823059, 1152658.050671623),
    "alexnet_tv": (0.7509141564369202, 385852.6538454868),
    "densenet121": (0.8329770565032959, 386906.9056068121),
    "googlenet_tv": (0.2659105062484741, 118747.17733978694),
    "regnet_x_1_6gf": (0.6511159539222717, 405137.72664345196),
    "regnet_y_400mf": (0.07567673921585083, 271518.24514305004),
    "inception_v3": (0.445178747177124, 2139769.8937954158),
    "convnext_tiny": (0.7166827917098999, 463305.58098147146),
    "mobilenet_v2": (0.11449718475341797, 180024.41773064944),
    "mobilenet_v3_large": (0.43202465772628784, 230622.26728090143),
    "mobilenet_v3_small": (0.3305034637451172, 98446.54483785758),
    "mnasnet1_0": (0.404167115688324, 244254.70209754482),
    "mnasnet1_3": (0.3772549033164978, 335173.2661518443),
    "efficientnet_b0": (0.7857139110565186, 320276.4760588234),
    "efficientnet_v2_s": (0.22038722038269043, 1351297.4184447373),
    "shufflenet_v2_x1_0": (0.06419491767883301, 75346.454915954),
    "squeezenet1_0": (0.5727173089981079, 55126.85521507729),
    "squeezenet1_1": (0.6170943975448608, 54056.98926081185),
}
"""Of torchvision 0.28's network, from RegNet on of 0.29's, made after `torch.manual_seed(0)`: the next random number,
and the sum of the absolute values of its state dict."""


@pytest.mark.wide(1)
@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_is_torchvisions_after_the_same_seed(name):
    torch.manual_seed(0)
    net = cnnzoo.create_model(name)
    after, total = TORCHVISION[name]
    assert torch.rand(1).item() == after
    assert sum(value.double().abs().sum().item() for value in net.state_dict().values()) == pytest.approx(
        total, rel=1e-9
    )


def test_torchs_is_torchs_after_the_same_seed():
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=2), nn.Linear(12, 7))
    torch.manual_seed(0)
    description = Sequential(Conv2d(4, 3), ReLU(), Conv2d(4, 3, groups=2), Linear(7))
    ours = build(description, (3, 16, 16), init="torch")
    assert all(a.equal(b) for a, b in zip(ours.parameters(), plain.parameters(), strict=True))


def std(layer):
    return layer.weight.std().item()


class TestPapers:
    def test_alexnet(self):
        net = alexnet(init="paper")
        layers = {
            name: getattr(net, name) for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
        }
        assert {name: layer.bias.unique().tolist() for name, layer in layers.items()} == {
            "conv1": [0],
            "conv2": [1],
            "conv3": [0],
            "conv4": [1],
            "conv5": [1],
            "fc6": [1],
            "fc7": [1],
            "fc8": [0],
        }
        assert [std(layer) for layer in layers.values()] == pytest.approx([0.01] * 8, rel=0.03)

    def test_caffenet(self):
        net = caffenet(init="paper")
        assert [std(net.conv2), std(net.fc6), std(net.fc7), std(net.fc8)] == pytest.approx(
            [0.01, 0.005, 0.005, 0.01], rel=0.03
        )

    def test_lenet(self):
        net = lenet5(init="paper")
        bounds = {"c1": 2.4 / 25, "s2": 2.4 / 4, "s4": 2.4 / 4, "c5": 2.4 / 400, "f6": 2.4 / 120}
        for name, bound in bounds.items():
            layer = getattr(net, name)
            assert layer.weight.abs().max() <= bound
            assert layer.bias.abs().max() <= bound
        assert net.c5.weight.abs().max() > 0.99 * bounds["c5"]
        for reads, kernels in zip(net.c3.reads, torch.split(net.c3.weight, net.c3.reads), strict=True):
            assert 0.8 * 2.4 / (25 * reads) < kernels.abs().max() <= 2.4 / (25 * reads)

    def test_vgg(self):
        """Variance 0.01, so a deviation of 0.1."""
        net = vgg11(init="paper")
        assert [std(net.features[3]), std(net.classifier[0])] == pytest.approx([0.1, 0.1], rel=0.01)
        assert not net.features[3].bias.any()

    def test_googlenet(self):
        net = googlenet(init="paper")
        conv = net.conv3.conv
        assert conv.weight.abs().max().item() == pytest.approx(sqrt(3 / (64 * 9)), rel=1e-3)
        assert conv.bias.unique().item() == pytest.approx(0.2)
        assert net.aux1.fc1.bias.unique().item() == pytest.approx(0.2)
        assert not net.fc.bias.any()
        assert not net.aux2.fc2.bias.any()

    @pytest.mark.parametrize("builder", [resnet18, densenet121])
    def test_he(self, builder):
        net = builder(init="paper")
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d) and layer.weight.numel() > 1000:
                assert std(layer) == pytest.approx(sqrt(2 / layer.weight[0].numel()), rel=0.1)

    def test_where_no_paper_is_known(self):
        with pytest.raises(ValueError, match="no paper is known to say how a bare description begins"):
            build(Sequential(Conv2d(4, 3)), (3, 8, 8), init="paper")


class TestTorchvision:
    def test_by_family(self):
        net = resnet18()
        assert std(net.layer4[1].conv2) == pytest.approx(sqrt(2 / (512 * 9)), rel=0.01)
        assert net.layer4[1].bn2.weight.unique().tolist() == [1]
        net = vgg11()
        assert std(net.classifier[3]) == pytest.approx(0.01, rel=0.01)
        assert not net.classifier[3].bias.any()
        assert std(googlenet_tv().inception5b.branch2[1].conv) == pytest.approx(0.01, rel=0.01)
        assert not densenet121().classifier.bias.any()

    def test_is_torchs_where_torchvision_has_none(self):
        nets = []
        for init in ("torchvision", "torch"):
            torch.manual_seed(3)
            nets.append(lenet5(init=init))
        assert all(a.equal(b) for a, b in zip(*(net.parameters() for net in nets), strict=True))


class TestNone:
    def test_does_no_work_on_parameters(self):
        class Written(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None):
                out = func(*args, **(kwargs or {}))
                if func._schema.name.endswith("_") and not args[0].is_meta:
                    written.append(args[0].numel())
                return out

        written: list[int] = []
        before = torch.get_rng_state()
        with Written():
            net = resnet50(init=None)
        assert torch.get_rng_state().equal(before)
        buffers = sorted(value.numel() for value in net.buffers())
        assert sorted(written) == buffers, "running statistics and counters alone"

    def test_leaves_buffers_right(self):
        net = resnet18(init=None)
        assert net.bn1.running_var.unique().tolist() == [1]
        assert net.bn1.running_mean.unique().tolist() == [0]
        assert net.bn1.num_batches_tracked.item() == 0
        assert lenet5(init=None).output.centres.equal(lenet5().output.centres)


class TestAFunction:
    def test_is_a_scheme(self):
        net = resnet18(init=lambda net: [nn.init.zeros_(value) for value in net.parameters()])
        assert not any(value.any() for value in net.parameters())


def test_an_unknown_name_is_told():
    with pytest.raises(ValueError, match=r"unknown init 'papers'; did you mean paper\?"):
        resnet18(init="papers")
    with pytest.raises(ValueError, match="there are 'torch', 'torchvision', 'paper', and None"):
        find_scheme("zzz")


class TestDrawings:
    def test_digits_are_seven_by_twelve_and_far_apart(self):
        digits = drawings(10, 84)
        assert all(len(digit) == 84 and set(digit) == {-1, 1} for digit in digits)
        distances = [sum(a != b for a, b in zip(x, y, strict=True)) for x in digits for y in digits if x is not y]
        assert min(distances) >= 10
        assert drawings(3, 84) == digits[:3]

    def test_others_are_the_same_at_every_call_and_touch_no_generator(self):
        before = torch.get_rng_state()
        net = lenet5(num_classes=12, init=None)
        assert net.output.centres.shape == (12, 84)
        assert set(net.output.centres.unique().tolist()) == {-1, 1}
        assert net.output.centres.equal(lenet5(num_classes=12, init=None).output.centres)
        assert torch.get_rng_state().equal(before)
