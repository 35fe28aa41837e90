"""Descriptions become ordinary modules: the same tensors, torch's own layers, and nothing remembered."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reference import NEXT_DOOR, fill, image
from small import small
from strategies import BENDS, networks
from torch import nn

import cnnzoo
from cnnzoo import arch
from cnnzoo.arch import (
    Aux,
    Concat,
    Conv2d,
    Dense,
    Flatten,
    From,
    Gate,
    Linear,
    ModuleList,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
    Subtract,
    walk,
)
from cnnzoo.arch.join import TAKEN
from cnnzoo.calculate import calculate
from cnnzoo.models import alexnet, googlenet, googlenet_tv, lenet5, resnet18, resnet50, vgg11
from cnnzoo.pytorch.modules import forwards as modules
from cnnzoo.pytorch.modules.build import BLOCKS, build
from cnnzoo.pytorch.modules.network import Network, Stepped

TORCHVISION = {
    NEXT_DOOR.get(key, key): known
    for key, known in json.loads((Path(__file__).parent / "data" / "networks.json").read_text()).items()
}
NAMES = cnnzoo.list_models()
FAMILIES = ["lenet5", "alexnet", "vgg11", "googlenet", "resnet18", "densenet121"]
"""One network of each, the smallest."""

each = pytest.mark.parametrize("name", NAMES)


def on_meta(name, **settings):
    return cnnzoo.create_model(name, device="meta", **settings)


def inputs(name, batch=2, **kwargs):
    return torch.empty(batch, *cnnzoo.get_builder(name).input_size, **kwargs)


@pytest.mark.wide
@pytest.mark.every
@each
def test_tensors_and_shapes_are_those_of_the_report(name):
    report, net = cnnzoo.summary(name), on_meta(name)
    state = net.state_dict()
    runs = any(isinstance(node, ModuleList) for _, node in walk(cnnzoo.describe(name)))  # held before they run
    assert list(state) == list(report.tensors) or runs
    assert {key: tuple(value.shape) for key, value in state.items()} == report.tensors
    assert sum(parameter.numel() for parameter in net.parameters()) == report.total_params + report.aux_params
    outputs, whole = net.eval()(inputs(name, device="meta")), report[""]
    shapes = [one.shape for one in (outputs if whole.more_outputs else [outputs])]
    assert shapes == [(2, *shape) for shape in (whole.output_shape, *whole.more_outputs)]


@pytest.mark.wide(1)
@pytest.mark.parametrize("name", sorted(TORCHVISION.keys() & set(NAMES)))
def test_is_torchvisions_network(name):
    """The same names in the same order and, for the same weights and image, the same outputs."""
    known = TORCHVISION[name]
    net = cnnzoo.create_model(name, init=None).eval()
    state = net.state_dict()
    assert [[key, list(value.shape)] for key, value in state.items()] == [*map(list, known["state"].items())]
    net.load_state_dict(fill(state))
    with torch.no_grad():
        logits = net(image(known["input"])).flatten()
    scale = max(map(abs, known["logits"]))
    assert logits[:8].tolist() == pytest.approx(known["logits"], rel=1e-5, abs=1e-5 * scale)
    assert logits.norm().item() == pytest.approx(known["norm"], rel=1e-5)


@given(st.data())
def test_random_descriptions_are_built_as_calculated(data):
    shape = data.draw(st.tuples(st.sampled_from([2, 4]), st.integers(3, 9), st.integers(3, 9)))
    description = data.draw(networks(shape, heads=1, steps=True))
    report = calculate(description, shape)
    net = build(description, shape, init=None).eval()
    assert {key: tuple(value.shape) for key, value in net.state_dict().items()} == report.tensors
    seen = {}
    for path, module in net.named_modules():
        module.register_forward_hook(
            lambda _, __, out, path=path: seen.__setitem__(
                path, tuple((out[0] if isinstance(out, tuple) else out).shape[1:])
            )
        )
    with torch.no_grad():
        net(torch.zeros(2, *shape))
    shapes = {row.path: row.output_shape for row in (*report.rows, *report.blocks) if not row.aux}
    assert seen == {path: shapes[path] for path in seen}
    assert {row.path for row in report.rows if not row.aux} <= seen.keys()


class TestIsOrdinary:
    def test_layers_are_torchs_own(self):
        net = resnet50(init=None)
        kinds = {type(module) for module in net.modules()}
        bases = {kind.__base__ for kind in kinds if kind.__module__.startswith("cnnzoo")}
        assert bases == {Network, modules.Residual}
        assert isinstance(vgg11(init=None).features, nn.Sequential)

    def test_slices_and_children_run(self):
        net = vgg11(init=None).eval()
        x = image((3, 64, 64))
        assert net.features[:10](x).shape == (1, 256, 16, 16)
        assert isinstance(net[:2], nn.Sequential)
        features = nn.Sequential(*list(resnet50(init="torch").eval().children())[:-1])
        assert features(x).shape == (1, 2048)
        assert repr(resnet50(init=None).layer4[2].conv3) == (
            "Conv2d(512, 2048, kernel_size=(1, 1), stride=(1, 1), bias=False)"
        )

    def test_what_is_assigned_runs(self):
        net = resnet18(init="torch").eval()
        x = image((3, 64, 64))
        net.fc = nn.Linear(512, 7)
        assert net(x).shape == (1, 7)
        before = net(x)
        net.layer2[1].relu1 = nn.Tanh()
        assert not torch.equal(net(x), before)
        net.layer1[0].downsample = nn.Conv2d(64, 64, 1)
        assert list(net.layer1[0].state_dict())[-1] == "downsample.bias"
        net.layer3[0].conv1 = net.layer3[0].conv2
        with pytest.raises(RuntimeError, match="expected input"):
            net(x)

    def test_a_module_that_stands_twice_runs_twice(self):
        net = build(Residual(a=Conv2d(2, 1), b=Conv2d(2, 1)), (2, 3, 3))
        net.b = net.a
        x = image((2, 3, 3))
        assert torch.equal(net(x), x + net.a(net.a(x)))

    def test_reads_like_torchvisions(self):
        net = resnet18(init=None)
        assert net.layer1[0].downsample is None
        assert repr(net).splitlines()[:3] == [
            "Network(",
            "  (conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)",
            "  (bn1): " + repr(nn.BatchNorm2d(64)),
        ]
        assert "(c3): TableConv2d(16, kernel_size=(5, 5), connections=60)" in repr(lenet5(init=None))

    def test_settings_map_through(self):
        layer = build(
            Sequential(
                arch.Conv2d(4, 3, padding="same", dilation=2, groups=2, bias=False),
                arch.BatchNorm2d(eps=1e-3, momentum=0.5),
                arch.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False),
            ),
            (2, 8, 8),
        )
        assert repr(layer[0]) == repr(nn.Conv2d(2, 4, 3, padding="same", dilation=2, groups=2, bias=False))
        assert repr(layer[1]) == repr(nn.BatchNorm2d(4, eps=1e-3, momentum=0.5))
        assert repr(layer[2]) == repr(nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False))

    def test_a_layer_alone_is_torchs_module(self):
        assert type(build(Conv2d(4, 3), (2, 8, 8))) is nn.Conv2d


class TestHeads:
    def test_run_in_training_only(self):
        net = googlenet(num_classes=5, input_size=96, init="torch")
        x = image((3, 96, 96), 2)
        out = net(x)
        assert out._fields == ("logits", "aux1", "aux2")
        assert [tuple(one.shape) for one in out] == [(2, 5)] * 3
        assert out.aux1 is out[1]
        assert net.eval()(x).shape == (2, 5)

    def test_can_be_left_out_or_taken_off(self):
        x = image((3, 64, 64), 2)
        assert googlenet_tv(aux_logits=False, init="torch")(x).shape == (2, 1000)
        net = googlenet_tv(num_classes=5, init="torch")
        net.aux1 = None
        assert net(x)._fields == ("logits", "aux_logits2")
        net.aux2 = None
        assert net(x).shape == (2, 5)
        assert net.eval()(x).shape == (2, 5)

    def test_read_their_source(self):
        net = build(Sequential(a=Linear(3), b=Linear(2), side=Aux("a", Linear(4))), (5,))
        x = image((5,))
        out = net(x)
        assert torch.equal(out.side, net.side(net.a(x)))
        assert torch.equal(out.logits, net.b(net.a(x)))

    @pytest.mark.parametrize("name", ["aux1", "x", "größe", "count", "index", "match"])
    def test_of_any_name_that_a_description_takes_are_trained_and_measured(self, name):
        description = Sequential(a=Linear(3), b=Linear(2), **{name: Aux("a", fc=Linear(4))})
        net = build(description, (5,))
        out = net(image((5,)))
        assert getattr(out, name).shape == (1, 4)
        measured, calculated = cnnzoo.summary(net, (5,)), calculate(description, (5,))
        assert (measured.total_params, measured.aux_params) == (calculated.total_params, calculated.aux_params)


class TestNames:
    """What torch's modules refuse as the name of a child, a description refuses, and nothing else."""

    JOINS = (Sequential, Concat, Residual, Dense, Gate)

    def test_every_attribute_of_the_modules_is_known(self):
        """Those that begin with two underscores are refused in any case."""
        kinds = [nn.Sequential, Network, Stepped, modules.Aux, modules.ModuleList, *BLOCKS.values()]
        made = [kind({}) if issubclass(kind, (modules.Join, modules.ModuleList)) else kind() for kind in kinds]
        found = {name for module in made for name in dir(module)}
        found |= {name for kind in kinds for one in kind.__mro__ for name in getattr(one, "__annotations__", ())}
        net = resnet18(device="meta")
        found |= set(vars(net)) - set(vars(nn.Sequential()))
        assert {name for name in found if not name.startswith("__")} - TAKEN == set()
        assert not TAKEN & {"features", "classifier", "head", "fc", "downsample", "norm", "pool"}

    @pytest.mark.parametrize("name", sorted(TAKEN))
    def test_are_refused_by_both(self, name):
        for join in self.JOINS:
            with pytest.raises(ShapeError, match=f"{join.__name__}: a child cannot be named '{name}'"):
                join(**{name: ReLU()})
        with pytest.raises(ShapeError, match=f"Aux: a child cannot be named '{name}'"):
            Aux("a", **{name: ReLU()})

    @pytest.mark.parametrize(
        "name", ["0", "00", "a b", "class", "größe", "ﬁ", "-", "'", "self", "children2", "x0", "torch", "_x"]
    )
    def test_that_a_description_takes_are_built_and_found(self, name):
        for join in self.JOINS:
            description = Sequential(first=Conv2d(2, 1), **{name: join(**{name: Conv2d(2, 1), f"{name}2": ReLU()})})
            net = build(description, (2, 4, 4))
            assert type(net.get_submodule(f"{name}.{name}")) is nn.Conv2d
            assert list(net.state_dict()) == list(calculate(description, (2, 4, 4)).tensors)
            assert cnnzoo.summary(net, (2, 4, 4)).total_params == calculate(description, (2, 4, 4)).total_params
            assert eval(repr(description), vars(arch)) == description

    def test_an_attribute_of_another_torch_is_refused_with_its_place(self, monkeypatch):
        monkeypatch.setattr(nn.Module, "novelty", 1, raising=False)
        with pytest.raises(ShapeError, match=r"^at block: torch .* refuses a child's name: .*novelty"):
            build(Sequential(block=Residual(novelty=ReLU())), (2, 4, 4))


class TestWhereAndWhat:
    def test_device_and_dtype(self):
        net = resnet18(init=None, device="meta", dtype=torch.bfloat16)
        assert {value.dtype for value in net.parameters()} == {torch.bfloat16}
        assert net.bn1.num_batches_tracked.dtype == torch.int64
        assert all(value.is_meta for value in net.state_dict().values())
        with torch.device("meta"):
            assert resnet18().fc.weight.is_meta
        assert lenet5(dtype=torch.float64)(image((1, 32, 32)).double()).dtype == torch.float64

    def test_from_meta_to_a_device(self):
        """What is no tensor of the state dict is right without loading it."""
        net = lenet5(device="meta")
        net.to_empty(device="cpu")
        other = lenet5()
        net.load_state_dict(other.state_dict())
        x = image((1, 32, 32))
        assert torch.equal(net(x), other(x))

    @pytest.mark.parametrize("name", FAMILIES)
    def test_inplace_changes_nothing(self, name):
        """The same outputs and gradients, bit by bit, in training and at inference."""
        description, size = small(name)
        x = image(size, 2)
        nets = [build(description, size, init=None, inplace=inplace) for inplace in (False, True)]
        found = []
        for net in nets:
            net.load_state_dict(fill(net.state_dict()))
            for module in net.modules():
                if isinstance(module, nn.Dropout):
                    module.p = 0.0
            outputs = net(x)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            sum(one.square().mean() for one in outputs).backward()
            with torch.no_grad():
                found.append([*outputs, net.eval()(x), *(one.grad for one in net.parameters())])
        assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
        relus = [module.inplace for module in nets[1].modules() if isinstance(module, nn.ReLU)]
        assert all(relus)

    @given(st.data())
    def test_inplace_changes_nothing_at_random(self, data):
        between = [Conv2d(2, 1), arch.Sigmoid(), arch.Identity(), arch.MaxPool2d(2, 1)]
        bends = [*(kind() for kind in BENDS), arch.LeakyReLU(-0.5), arch.ELU(-0.5), arch.PReLU()]
        layers = st.one_of(*map(st.sampled_from, [[ReLU()], between, bends]))
        description = data.draw(networks((2, 6, 6), layers, heads=1, steps=True))
        x = image((2, 6, 6), 2).requires_grad_()
        found = []
        for inplace in (False, True):
            net = build(description, (2, 6, 6), init=None, inplace=inplace)
            net.load_state_dict(fill(net.state_dict()))
            torch.manual_seed(0)  # for dropout
            outputs = net(x)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            (gradient,) = torch.autograd.grad(sum(one.square().sum() for one in outputs), x, allow_unused=True)
            found.append([*outputs, gradient])
        by_output = any(isinstance(node, arch.ELU) for _, node in arch.walk(description))
        near = {"rtol": 1e-5, "atol": 1e-5} if by_output else {"rtol": 0, "atol": 0}
        torch.testing.assert_close(*found, **near, equal_nan=True)  # RBFs of RBFs overflow

    @pytest.mark.parametrize("bend", [kind for kind in BENDS if kind is not arch.GELU])
    def test_inplace_makes_no_tensor(self, bend):
        for inplace in (False, True):
            net = build(Sequential(Conv2d(8, 1), arch.BatchNorm2d(), bend()), (3, 8, 8), inplace=inplace)
            y = net[1](net[0](image((3, 8, 8))))
            assert (net[2](y).data_ptr() == y.data_ptr()) is inplace


class TestErrors:
    @pytest.mark.parametrize("name", FAMILIES)
    def test_of_an_input_name_the_layer(self, name):
        builder = cnnzoo.get_builder(name)
        net = builder(init="torch").eval()
        channels, *size = builder.input_size
        with pytest.raises(RuntimeError, match=f"to have {channels} channels, but got {channels + 1}") as caught:
            net(torch.zeros(1, channels + 1, *size))
        first = next(path for path, module in net.named_modules() if isinstance(module, nn.Conv2d))
        given = (1, channels + 1, *size)
        assert caught.value.__notes__ == [f"at {first} (Conv2d) of a network that was given {given}"]

    def test_of_an_image_that_is_too_small_name_the_layer(self):
        with pytest.raises(RuntimeError, match="too small") as caught:
            vgg11(init="torch")(torch.zeros(2, 3, 8, 8))
        assert caught.value.__notes__ == ["at features.15 (MaxPool2d) of a network that was given (2, 3, 8, 8)"]

    def test_of_building_name_the_place(self):
        with pytest.raises(ShapeError, match=r"^at features.15: MaxPool2d: nothing is left"):
            vgg11(input_size=8)
        with pytest.raises(ShapeError, match=r"^at aux1.pool"):
            googlenet(input_size=32)

    def test_of_a_keyword_name_the_builder_and_a_near_one(self):
        with pytest.raises(TypeError, match=r"^resnet50\(\) takes no keyword 'num_clases'; did you mean num_classes\?"):
            resnet50(num_clases=10)
        with pytest.raises(TypeError, match="did you mean in_chans"):
            cnnzoo.create_model("resnet50", in_chan=1)
        with pytest.raises(TypeError, match="it takes num_classes, dropout"):
            alexnet.describe(zzz=1)

    def test_of_a_kind_without_a_module(self):
        @arch.layer
        class Maxout(arch.Layer):
            """A layer that torch does not have."""

        try:
            with pytest.raises(TypeError, match=r"at 0: build knows no module for Maxout"):
                build(Sequential(Maxout()), (3, 8, 8))
        finally:
            del arch.Node.kinds["Maxout"]


class TestAgainstPlainFormulas:
    """LeNet-5's layers, LRN and groups, output by output with loops."""

    def test_subsampling(self):
        layer = build(arch.Subsampling2d((2, 3)), (2, 5, 7))
        x = image((2, 5, 7))
        out = layer(x)
        assert out.shape == (1, 2, 2, 2)
        for c in range(2):
            for i in range(2):
                for j in range(2):
                    total = sum(x[0, c, 2 * i + a, 3 * j + b] for a in range(2) for b in range(3))
                    assert out[0, c, i, j].item() == pytest.approx(
                        (total * layer.weight[c] + layer.bias[c]).item(), abs=1e-5
                    )

    def test_table_convolution(self):
        table = ((0, 2), (1,), (0, 1, 2))
        layer = build(arch.TableConv2d(table, 2), (3, 4, 4))
        x = image((3, 4, 4))
        out = layer(x)
        assert out.shape == (1, 3, 3, 3)
        kernels = iter(layer.weight)
        for row, reads in enumerate(table):
            own = {one: next(kernels)[0] for one in reads}
            for i in range(3):
                for j in range(3):
                    total = layer.bias[row].item()
                    for one, kernel in own.items():
                        total += sum(
                            (x[0, one, i + a, j + b] * kernel[a, b]).item() for a in range(2) for b in range(2)
                        )
                    assert out[0, row, i, j].item() == pytest.approx(total, abs=1e-5)

    def test_rbf(self):
        layer = build(arch.RBF(10), (84,))
        x = image((84,))
        wanted = [sum((a - b) ** 2 for a, b in zip(x[0].tolist(), row, strict=True)) for row in layer.centres.tolist()]
        assert layer(x)[0].tolist() == pytest.approx(wanted, rel=1e-5)

    def test_scaled_tanh(self):
        x = torch.linspace(-3, 3, 7)
        wanted = [1.7159 * (2 / (1 + 2.718281828459045 ** (-4 / 3 * one)) - 1) for one in x.tolist()]
        assert build(arch.ScaledTanh(), (7,))(x).tolist() == pytest.approx(wanted, abs=1e-5)

    def test_pad_channels(self):
        x = image((2, 3, 3))
        out = build(arch.PadChannels(5), (2, 3, 3))(x)
        assert torch.equal(out[:, :2], x)
        assert not out[:, 2:].any()

    def test_local_response_norm(self):
        """Section 3.3 of AlexNet, with its own constants."""
        norm = alexnet(init=None, device="meta").norm1
        x = 10 * image((9, 2, 2))
        out = norm(x)
        for i in range(9):
            near = range(max(0, i - 2), min(9, i + 3))
            scale = (2 + 1e-4 * sum(x[0, j] ** 2 for j in near)) ** 0.75
            assert torch.allclose(out[0, i], x[0, i] / scale, rtol=1e-5)

    def test_groups(self):
        """conv4's shape in small: each half of the output reads its half of the input."""
        layer = build(Conv2d(4, 3, padding=1, groups=2), (6, 5, 5))
        x = image((6, 5, 5))
        padded = torch.zeros(6, 7, 7)
        padded[:, 1:6, 1:6] = x[0]
        out = layer(x)
        for o in range(4):
            first = 3 * (o // 2)
            for i, j in ((0, 0), (2, 3), (4, 4)):
                window = padded[first : first + 3, i : i + 3, j : j + 3]
                assert out[0, o, i, j].item() == pytest.approx(
                    ((window * layer.weight[o]).sum() + layer.bias[o]).item(), abs=1e-5
                )

    def test_joins(self):
        x = image((2, 4, 4))
        net = build(Residual(a=Conv2d(3, 1), downsample=Sequential(Conv2d(3, 1)), b=ReLU()), (2, 4, 4))
        assert torch.equal(net(x), torch.relu(net.a(x) + net.downsample(x)))
        net = build(Dense(a=Conv2d(3, 1), b=ReLU()), (2, 4, 4))
        assert torch.equal(net(x), torch.cat([x, torch.relu(net.a(x))], 1))
        net = build(Concat(a=Conv2d(3, 1), b=ReLU()), (2, 4, 4))
        assert torch.equal(net(x), torch.cat([net.a(x), torch.relu(x)], 1))
        net = build(Sequential(Flatten(), Linear(3)), (2, 4, 4))
        assert torch.equal(net(x), net[1](x.flatten(1)))


def test_a_block_takes_positions_by_number():
    """However they are read: `block(x, y)` has x for input.0."""
    block = Sequential(x=From("input.1", Conv2d(2, 1)), y=Subtract("x", "input.0"))
    net = build(Sequential(a=From("input.0", ReLU()), b=From("a", "input.1", block)), [(2, 4, 4), (2, 4, 4)])
    x, y = image((2, 4, 4)), 2 * image((2, 4, 4))
    assert torch.equal(net.b(x, y), net.b.x(y) - x)
    assert torch.equal(net(x, y), net.b(torch.relu(x), y))
