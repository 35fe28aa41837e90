"""Checkpoints as people have them: each layout is written with torch.save, and the weights arrive bit for bit."""

import argparse
import datetime
import enum
import functools
import io
import json
import pathlib
import pickle
import warnings
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cnnzoo import cli, create_model, get_builder
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.checkpoints import load_checkpoint
from cnnzoo.weights.headers import CheckpointError, read_header
from cnnzoo.weights.matching import shapes
from cnnzoo.weights.reading import same

OLD = {"_use_new_zipfile_serialization": False}


def tiny(channels=3):
    """A network with names of its own, filled with other values each time."""
    layers = OrderedDict(conv=nn.Conv2d(channels, 2, 1), bn=nn.BatchNorm2d(2), fc=nn.Linear(2, 4))
    net = nn.Sequential(layers)
    for value in net.state_dict().values():
        value.copy_(torch.rand(value.shape) * 100)
    return net


def state_of(net, prefix=""):
    return OrderedDict((prefix + name, value.clone()) for name, value in net.state_dict().items())


def same_values(net, state):
    own = net.state_dict()
    return own.keys() == state.keys() and all(torch.equal(value, state[name]) for name, value in own.items())


class Color(enum.Enum):
    RED = 1


class Hyperparameters(dict):
    """As Lightning's: a dict with a class of its own."""


def optimizer_state(net, kind=torch.optim.Adam):
    optimizer = kind(net.parameters(), lr=0.1)
    sum(parameter.sum() for parameter in net.parameters()).backward()
    optimizer.step()
    return optimizer.state_dict()


def imagenet_example(net):
    return {
        "epoch": 1,
        "arch": "resnet18",
        "state_dict": state_of(net, "module."),
        "best_acc1": torch.tensor(56.2),
        "optimizer": optimizer_state(tiny(), functools.partial(torch.optim.SGD, momentum=0.9)),
        "scheduler": {"step_size": 30, "_last_lr": [0.1]},
    }


def timm(net):
    return {
        "epoch": 3,
        "arch": "tiny",
        "state_dict": state_of(tiny()),
        "optimizer": optimizer_state(tiny()),
        "version": 2,
        "args": argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("a")),
        "amp_scaler": {"scale": 65536.0},
        "state_dict_ema": state_of(net),
        "metric": np.float64(76.1),
    }


def torchvision_reference(net):
    averaged = torch.optim.swa_utils.AveragedModel(net)
    return {
        "model": state_of(tiny()),
        "optimizer": optimizer_state(tiny()),
        "lr_scheduler": {"base_lrs": [0.5]},
        "epoch": 599,
        "args": argparse.Namespace(device="cuda"),
        "model_ema": averaged.state_dict(),
    }


def lightning(net):
    return {
        "epoch": 4,
        "global_step": 10,
        "pytorch-lightning_version": "2.2.0",
        "state_dict": {**state_of(net, "model."), "criterion.weight": torch.ones(4), "metric.count": torch.tensor(3)},
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1}}}},
        "callbacks": {"ModelCheckpoint{'mode': 'min'}": {"best_model_score": torch.tensor(0.1), "dirpath": None}},
        "optimizer_states": [optimizer_state(tiny())],
        "lr_schedulers": [],
        "hyper_parameters": Hyperparameters(lr=0.1, color=Color.RED, when=datetime.date(2024, 1, 1)),
    }


def moco(net):
    return {
        "epoch": 200,
        "arch": "tiny",
        "state_dict": {
            **state_of(net, "module.encoder_q."),
            **state_of(tiny(), "module.encoder_k."),
            "module.queue": torch.ones(128, 8),
            "module.queue_ptr": torch.zeros(1, dtype=torch.long),
        },
        "optimizer": optimizer_state(tiny()),
    }


def dino(net):
    heads = {"head.mlp.0.weight": torch.ones(2, 2)}
    return {
        "student": {**state_of(tiny(), "module.backbone."), **{f"module.{name}": v for name, v in heads.items()}},
        "teacher": {**state_of(net, "backbone."), **heads},
        "optimizer": optimizer_state(tiny()),
        "epoch": 100,
        "args": argparse.Namespace(arch="tiny"),
        "dino_loss": {"center": torch.zeros(1, 4)},
    }


LAYOUTS = {
    "imagenet_example": imagenet_example,
    "timm": timm,
    "torchvision_reference": torchvision_reference,
    "lightning": lightning,
    "moco": moco,
    "dino": dino,
    "plain": state_of,
    "plain with words": lambda net: {**state_of(net), "epoch": 3, "args": argparse.Namespace(a=1)},
    "two trunks in one dict": lambda net: {**state_of(net, "model."), "n": torch.ones(1), "model_old.a": torch.ones(2)},
    "averaged": lambda net: torch.optim.swa_utils.AveragedModel(net).state_dict(),
    "averaged beside": lambda net: {**state_of(tiny(), "model."), **state_of(net, "model_ema.")},
    "compiled and parallel": lambda net: state_of(net, "module._orig_mod."),
    "parallel within": lambda net: {
        name.replace("conv.", "conv.module.").replace("bn.", "bn._orig_mod.module."): value
        for name, value in state_of(net).items()
    },
    "fsdp": lambda net: {f"_fsdp_wrapped_module.{name}": value for name, value in state_of(net).items()},
    "deep": lambda net: {"experiment": {"checkpoint": {"net": state_of(net)}, "step": torch.tensor(3)}},
    "trunk and head": lambda net: {
        name if name.startswith("fc.") else f"backbone.{name}": value for name, value in state_of(net).items()
    },
    "trunk and head of a wrapper": lambda net: {
        f"module.{name}" if name.startswith("fc.") else f"module.backbone.{name}": value
        for name, value in state_of(net).items()
    },
    **{
        f"under {key}": lambda net, key=key: {"epoch": 3, key: state_of(net), "rng": torch.zeros(5, dtype=torch.uint8)}
        for key in ("model", "model_state", "model_state_dict", "net", "network", "params", "weights", "teacher", "ema")
    },
}


@pytest.mark.parametrize("old", [{}, OLD], ids=["zip", "pickle"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_weights_arrive(layout, old, tmp_path):
    file, net = tiny(), tiny()
    contents = LAYOUTS[layout](file)
    torch.save(contents, tmp_path / "file", **old)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which of several was taken
        done = load_checkpoint(net, tmp_path / "file")
    assert same_values(net, file.state_dict())
    assert done.loaded == tuple(net.state_dict())
    assert done.kept == ()


@pytest.mark.parametrize(
    ("layout", "dropped"),
    [
        ("imagenet_example", ()),
        ("lightning", ("criterion.weight", "metric.count")),
        ("moco", (*state_of(tiny(), "module.encoder_k."), "module.queue", "module.queue_ptr")),
        ("averaged", ("n_averaged",)),
        ("two trunks in one dict", ("n", "model_old.a")),
        ("trunk and head", ()),
    ],
)
def test_what_was_left_out_is_named(layout, dropped, tmp_path):
    torch.save(LAYOUTS[layout](tiny()), tmp_path / "file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert load_checkpoint(tiny(), tmp_path / "file").dropped == dropped


@pytest.mark.parametrize(
    ("layout", "taken", "other"),
    [
        ("timm", "state_dict_ema", "state_dict"),
        ("torchvision_reference", "model_ema", "model"),
        ("dino", "teacher", "student"),
        ("moco", "module.encoder_q.", "module.encoder_k."),
        ("averaged beside", "model_ema.", "model."),
    ],
)
def test_of_several_that_fit_one_is_taken_and_said_so(layout, taken, other, tmp_path):
    """And what the message says chooses the other."""
    contents = LAYOUTS[layout](tiny())
    torch.save(contents, tmp_path / "file")
    net = tiny()
    with pytest.warns(UserWarning, match=f"'{taken}' was taken") as caught:
        load_checkpoint(net, tmp_path / "file")
    assert f"choose with key={other!r} of load_checkpoint" in str(caught[0].message)
    found = contents.get(other) or contents.get("state_dict", contents)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_checkpoint(net, tmp_path / "file", key=other)
    begin = next(name for name in found if name.endswith("conv.weight") and (other in contents or other in name))
    begin = begin.removesuffix("conv.weight")
    assert same_values(net, {name: found[begin + name] for name in net.state_dict()})


def test_a_key_that_is_not_there(tmp_path):
    torch.save(timm(tiny()), tmp_path / "file")
    with pytest.raises(
        CheckpointError, match="no tensors under 'ema'; it has them under 'state_dict', 'state_dict_ema'"
    ):
        load_checkpoint(tiny(), tmp_path / "file", key="ema")


class TestRename:
    def test_beginnings_the_longest_first(self, tmp_path):
        file, net = tiny(), tiny()
        state = {
            "a.conv.weight": "conv.weight",
            "a.conv.bias": "conv.bias",
            "a.b.weight": "fc.weight",
            "a.b.bias": "fc.bias",
        }
        values = state_of(file)
        rest = {name: value for name, value in values.items() if name.startswith("bn.")}
        torch.save({**{old: values[new] for old, new in state.items()}, **rest}, tmp_path / "file")
        load_checkpoint(net, tmp_path / "file", rename={"a.": "", "a.b.": "fc."})
        assert same_values(net, values)

    def test_a_function_that_leaves_out(self, tmp_path):
        file, net = tiny(), tiny()
        torch.save({**state_of(file), "queue": torch.ones(3)}, tmp_path / "file")
        with pytest.raises(CheckpointError, match="queue: unexpected"):
            load_checkpoint(net, tmp_path / "file")
        load_checkpoint(net, tmp_path / "file", rename=lambda name: None if name == "queue" else name)
        assert same_values(net, state_of(file))

    @pytest.mark.parametrize(
        ("rename", "match"),
        [
            ({"convv.": ""}, "no name in .* starts with 'convv.'; did you mean 'conv.'"),
            ({"conv.weight": "fc.weight"}, "gives two tensors of .* the name 'fc.weight'"),
        ],
    )
    def test_of_nothing_or_to_a_name_that_is_there(self, rename, match, tmp_path):
        torch.save(state_of(tiny()), tmp_path / "file")
        with pytest.raises(CheckpointError, match=match):
            load_checkpoint(tiny(), tmp_path / "file", rename=rename)


DATA = {
    "namespace": argparse.Namespace(a=1),
    "numpy scalar": np.float32(1.5),
    "numpy array": np.ones(3),
    "numpy generator": np.random.default_rng(0),
    "path": pathlib.PurePosixPath("a/b"),
    "date": datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
    "enum": Color.RED,
    "class": Hyperparameters,
    "dict of a class": Hyperparameters(a=1),
    "default dict": defaultdict(list, a=[1]),
    "set": {1, 2},
    "frozen set": frozenset({1}),
    "tuple keys": {(1, 2): 3, None: 4, 2.5: 5, b"a": 6},
    "bytes": b"abc",
    "bytearray": bytearray(b"abc"),
    "big number": 10**2000,
    "complex": 1j,
    "slice": slice(1, 2),
    "range": range(3),
    "partial": functools.partial(torch.zeros, 3),
    "function": torch.zeros,
    "dtype": torch.float8_e4m3fn,
    "device": torch.device("cpu"),
    "size": torch.Size([1, 2]),
    "generator state": torch.get_rng_state(),
    "module": nn.Linear(2, 2),
    "optimizer": torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1),
    "sparse": torch.eye(3).to_sparse(),
    "meta": torch.ones(2, device="meta"),
    "exception": ValueError("a"),
    "list of tensors": [torch.ones(1), {"a": torch.ones(2)}],
}


@pytest.mark.wide
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", DATA)
def test_data_beside_the_weights_is_data(kind, protocol, tmp_path):
    file = tiny()
    for contents in ({"it": DATA[kind], "model": state_of(file)}, {**state_of(file), "it": DATA[kind]}):
        net = tiny()
        torch.save(contents, tmp_path / "file", pickle_protocol=protocol)
        plain = (
            isinstance(DATA[kind], torch.Tensor) and DATA[kind].layout == torch.strided and kind == "generator state"
        )
        if plain and "it" in contents and "model" not in contents:
            continue  # a tensor that the network has not
        load_checkpoint(net, tmp_path / "file")
        assert same_values(net, state_of(file))


class Tagged(torch.Tensor):
    pass


class TestTensorsOfAllKinds:
    @pytest.mark.parametrize("old", [{}, OLD], ids=["zip", "pickle"])
    def test_views_parameters_and_attributes(self, old, tmp_path):
        big = torch.rand(100)
        tagged = torch.rand(4, 2)
        tagged.note = "an attribute"
        net = nn.Module()
        net.a, net.b = nn.Parameter(torch.zeros(3, 5)), nn.Parameter(torch.zeros(2))
        net.c, net.d = nn.Parameter(torch.zeros(4, 2)), nn.Parameter(torch.zeros(0, 3))
        net.e, net.f = nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(6))
        state = {
            "a": big[10:25].view(5, 3).t(),
            "b": nn.Parameter(big[1:40:30]),
            "c": tagged,
            "d": torch.zeros(0, 3),
            "e": torch.rand(2, 2).as_subclass(Tagged),
            "f": torch.rand(()).expand(6),
        }
        torch.save(state, tmp_path / "file", **old)
        load_checkpoint(net, tmp_path / "file")
        for name, value in state.items():
            assert torch.equal(getattr(net, name), value)

    def test_files_of_python_2(self, tmp_path):
        """An OrderedDict is a list of pairs, and strings are bytes."""
        value = torch.rand(2, 3)
        buffer = io.BytesIO()
        torch.save({"weight": value}, buffer, **OLD)
        data = buffer.getvalue()
        begin = data.index(b"}q\x00X\x06\x00\x00\x00weightq\x01")
        end = data.index(b"s.", begin)
        inside = data[begin + len(b"}q\x00X\x06\x00\x00\x00weightq\x01") : end]
        pairs = b"ccollections\nOrderedDict\nq\xf0]q\xf1]q\xf2(U\x06weight" + inside + b"ea\x85Rq\xf4."
        (tmp_path / "file").write_bytes(data[:begin] + pairs + data[end + 2 :])
        net = nn.Linear(3, 2, bias=False)
        load_checkpoint(net, tmp_path / "file")
        assert torch.equal(net.weight, value)

    def test_the_header_says_where_each_element_is(self, tmp_path):
        state = {
            "a": torch.rand(4, 6)[1:3, ::2],
            "b": torch.rand(3, dtype=torch.float64),
            "c": torch.rand(2).bfloat16(),
        }
        for old in ({}, OLD):
            torch.save(state, tmp_path / "file", **old)
            data = (tmp_path / "file").read_bytes()
            for name, entry in read_header(tmp_path / "file").dicts[""].items():
                value, item = state[name], state[name].element_size()
                for index in np.ndindex(*value.shape):
                    start = entry.start + item * sum(i * step for i, step in zip(index, entry.stride, strict=True))
                    assert bytes(value[index].reshape(1).view(torch.uint8).numpy()) == data[start : start + item]


def test_huggingface_safetensors(tmp_path):
    file, net = tiny(), tiny()
    save_file(state_of(file), tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert load_checkpoint(net, tmp_path / "model.safetensors").notes == ()
    assert same_values(net, state_of(file))


def test_torchscript_is_told_apart(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "file.pt")
    with pytest.raises(CheckpointError, match=r"is a TorchScript archive: save torch.jit.load\(path\).state_dict"):
        load_checkpoint(tiny(), tmp_path / "file.pt")


def small_vgg(**settings):
    builder = get_builder("vgg11")
    net = build(builder.describe(width=4, **settings), (3, 64, 64), init="torch")
    return net, state_of(net)


TIMM = {"classifier.0": "pre_logits.fc1", "classifier.3": "pre_logits.fc2", "classifier.6": "head.fc"}
BEFORE_2017 = {"classifier.0": "classifier.1", "classifier.3": "classifier.4"}


class TestVggs:
    @pytest.mark.parametrize("names", [TIMM, BEFORE_2017], ids=["timm", "before 2017"])
    @pytest.mark.parametrize("prefix", ["", "module."])
    def test_names_of_others(self, names, prefix, tmp_path):
        _, state = small_vgg()
        file = {}
        for name, value in state.items():
            base, _, last = name.rpartition(".")
            shape = (*value.shape, 1, 1) if base == "classifier.3" else (-1, 32, 7, 7)
            conv = names is TIMM and last == "weight" and base in ("classifier.0", "classifier.3")
            file[f"{prefix}{names.get(base, base)}.{last}"] = value.reshape(shape) if conv else value
        torch.save(file, tmp_path / "file")
        net, _ = small_vgg()
        done = load_checkpoint(net, tmp_path / "file")
        assert same_values(net, state)
        assert any("timm" in note or "before 2017" in note for note in done.notes)

    def test_data_parallel_features_of_the_imagenet_example(self, tmp_path):
        _, state = small_vgg()
        file = {name.replace("features.", "features.module."): value for name, value in state.items()}
        torch.save({"epoch": 1, "state_dict": file, "best_acc1": torch.tensor(1.0)}, tmp_path / "file")
        net, _ = small_vgg()
        load_checkpoint(net, tmp_path / "file")
        assert same_values(net, state)

    def test_convolutionalized_loads_what_was_linear_and_computes_the_same(self, tmp_path):
        settings = {"width": 4, "init": "torch"}
        linear = create_model("vgg11", **settings).eval()
        torch.save(linear.state_dict(), tmp_path / "file")
        conv = create_model("vgg11+convolutionalize", tmp_path / "file", **settings).eval()
        assert conv.classifier[0].weight.dim() == 4
        image = torch.rand(1, 3, 224, 224)
        with torch.no_grad():
            assert torch.allclose(conv(image).flatten(1), linear(image), atol=1e-5)
        torch.save(conv.state_dict(), tmp_path / "file")
        back = create_model("vgg11", tmp_path / "file", **settings)
        assert same_values(back, state_of(linear))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ((4096, 512, 7, 7), (4096, 25088), True),
        ((10, 4), (10, 4, 1), True),
        ((3, 4), (3, 2, 1, 2), True),
        ((3, 4), (4, 3, 1, 1), False),
        ((3, 4), (3, 5, 1, 1), False),
        ((3, 4), (12,), False),
        ((3,), (3, 1), False),
        ((3, 4, 1), (3, 4, 1, 1), False),
        ((3, 4), None, False),
    ],
)
def test_shapes_of_a_convolution_and_a_linear_layer(one, other, equal):
    assert same(one, other) == same(other, one) == equal


class TestFirstConvolution:
    """timm's `adapt_input_conv`: sums for one channel, else repeats and scales by 3/n."""

    @pytest.mark.parametrize("channels", [1, 2, 4, 5, 6, 7])
    def test_of_three_channels(self, channels, tmp_path):
        file, net = tiny(), tiny(channels)
        torch.save(state_of(file), tmp_path / "file")
        done = load_checkpoint(net, tmp_path / "file")
        weight = file.conv.weight
        if channels == 1:
            expected = weight[:, :1] + weight[:, 1:2] + weight[:, 2:]
        else:
            expected = torch.stack([weight[:, one % 3] for one in range(channels)], 1) * (3 / channels)
        assert torch.allclose(net.conv.weight, expected)
        assert torch.equal(net.fc.weight, file.fc.weight)
        assert any("conv.weight: its 3 input channels" in note for note in done.notes)

    def test_of_one_a_grey_image_gives_the_same(self, tmp_path):
        file, net = tiny(1), tiny(3)
        torch.save(state_of(file), tmp_path / "file")
        load_checkpoint(net, tmp_path / "file")
        grey = torch.rand(1, 1, 4, 4)
        assert torch.allclose(net.conv(grey.expand(1, 3, 4, 4)), file.conv(grey), atol=1e-4)

    def test_half_precision_is_summed_in_single(self, tmp_path):
        file, net = tiny(), tiny(1)
        torch.save(
            {name: v.half() if v.is_floating_point() else v for name, v in state_of(file).items()}, tmp_path / "file"
        )
        load_checkpoint(net, tmp_path / "file")
        assert torch.equal(net.conv.weight, file.conv.weight.half().float().sum(1, keepdim=True))

    def test_create_model(self, tmp_path):
        rgb = create_model("lenet5", in_chans=3, init="torch")
        torch.save(rgb.state_dict(), tmp_path / "file")
        net = create_model("lenet5", tmp_path / "file")
        name = next(name for name, value in net.state_dict().items() if value.dim() == 4)
        assert torch.allclose(net.state_dict()[name], rgb.state_dict()[name].sum(1, keepdim=True), atol=1e-6)


@pytest.fixture
def check(capsys, tmp_path):
    """`check-weights` of a file with these tensors, which are all zeros and take no room."""

    def check(contents, *arguments):
        torch.save(contents, tmp_path / "file.pth")
        with pytest.raises(SystemExit) as caught:
            cli.main(["check-weights", str(tmp_path / "file.pth"), *arguments])
        out, err = capsys.readouterr()
        return caught.value.code, out.removeprefix(str(tmp_path / "file.pth ")), err

    return check


def hollow(name, prefix="", **settings):
    return {prefix + tensor: torch.zeros(()).expand(shape) for tensor, shape in shapes(name, **settings).items()}


class TestCheckWeights:
    def test_trunk_and_head_of_resnet18(self, check):
        contents = {name if "fc" in name else f"backbone.{name}": value for name, value in hollow("resnet18").items()}
        code, out, err = check(contents)
        assert (code, out.partition(" (")[0]) == (0, "fits resnet18")
        assert "'backbone.', with which its names start, was left out" in err

    def test_a_trunk_alone(self, check):
        code, out, _ = check(hollow("resnet18", "backbone.", num_classes=0))
        assert (code, out.partition(" (120")[0]) == (0, "fits resnet18(num_classes=0)")
        assert check(hollow("resnet18", num_classes=0), "resnet18", "--num-classes", "0")[0] == 0
        code, out, _ = check(hollow("resnet18", num_classes=0), "resnet18")
        assert code == 1
        assert out.endswith("the file has no classifier: say --num-classes 0\n")

    def test_a_trunk_with_another_head(self, check):
        contents = {**hollow("resnet34", "encoder.", num_classes=0), "decoder.weight": torch.ones(3)}
        code, out, err = check({"epoch": 1, "net": contents, "other": torch.ones(3)})
        assert (code, out.partition(" (")[0]) == (0, "fits resnet34(num_classes=0)".partition(" (")[0])
        assert "the tensors were under 'net'" in err
        assert "left out: decoder.weight" in err

    def test_the_nearest_is_by_what_matches(self, check):
        contents = hollow("densenet121", "model.") | {"model.features.conv0.weight": torch.ones(64, 3, 3, 3)}
        code, out, _ = check(contents)
        assert code == 1
        assert out.startswith("fits no registered network; nearest is densenet121, with 1 difference\n")

    def test_the_best_of_several_networks(self, check):
        code, out, _ = check({"small": hollow("lenet5"), "large": hollow("resnet18")})
        assert (code, out.partition(" (")[0]) == (0, "fits resnet18")

    def test_timm_vgg16(self, check):
        names = {"classifier.0": "pre_logits.fc1", "classifier.3": "pre_logits.fc2", "classifier.6": "head.fc"}
        contents = {}
        for name, value in hollow("vgg16").items():
            base, _, last = name.rpartition(".")
            shape = {"pre_logits.fc1weight": (4096, 512, 7, 7), "pre_logits.fc2weight": (4096, 4096, 1, 1)}
            base = names.get(base, base)
            contents[f"{base}.{last}"] = torch.zeros(()).expand(shape.get(base + last, value.shape))
        code, out, err = check(contents)
        assert (code, out.partition(" (")[0]) == (0, "fits vgg16")
        assert "timm" in err
        assert "classifier.0.weight was reshaped from (4096, 512, 7, 7) to (4096, 25088)" in err

    def test_key_and_rename(self, check):
        contents = {"a": hollow("resnet18"), "b": hollow("lenet5", "x.")}
        assert check(contents, "--key", "b")[1].startswith("fits lenet5 ")
        assert check(contents, "--key", "b", "--rename", "x.=y.", "lenet5")[0] == 0
        assert check(contents, "--key", "b", "--rename", "x.c1.=", "lenet5")[0] == 1
        for wrong in (("--key", "c"), ("--rename", "z.=")):
            code, out, err = check(contents, *wrong)
            assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert check(contents, "--rename", "x")[0] == 2

    def test_of_several_the_averaged_and_how_to_choose(self, check):
        contents = {"state_dict": hollow("lenet5"), "state_dict_ema": hollow("lenet5"), "n": argparse.Namespace()}
        code, _, err = check(contents)
        assert code == 0
        assert "'state_dict_ema' was taken; 'state_dict' would fit as well: choose with key='state_dict'" in err
        assert json.loads(check(contents, "--format", "json")[1])["notes"]

    def test_one_channel_to_a_network_of_three_is_said(self, check):
        code, _, err = check(hollow("resnet18", in_chans=1), "resnet18")
        assert code == 0
        assert "conv1.weight: its 1 input channel was repeated to 3 and scaled by 1/3" in err


@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_a_trunk_alone_into_a_network_without_classifier(prefix, tmp_path):
    trunk = create_model("lenet5_modern", num_classes=0, init="torch")
    torch.save(state_of(trunk, prefix), tmp_path / "file")
    assert same_values(create_model("lenet5_modern", tmp_path / "file", num_classes=0), state_of(trunk))
    whole = create_model("lenet5_modern", init="torch")
    head = state_of(whole).keys() - state_of(trunk).keys()
    with pytest.raises(CheckpointError, match="the file has no classifier: pass drop_head=True"):
        load_checkpoint(whole, tmp_path / "file")
    assert {*load_checkpoint(whole, tmp_path / "file", drop_head=True).kept} == head
