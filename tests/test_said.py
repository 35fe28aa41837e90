"""Networks of other libraries and of papers, said as descriptions, are those networks: their names and outputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from reference import fill, image
from said import attention, graphs, timm, torchvision, written
from torch import nn

from cnnzoo import arch
from cnnzoo.arch import Dropout, Join, Layer, ShapeError, StochasticDepth, dumps, loads, walk
from cnnzoo.calculate import calculate, shapes_of
from cnnzoo.features.check import check
from cnnzoo.models import cbam_resnet50, dla34, dpn68, res2net50_26w_4s
from cnnzoo.models.ecanet import channel_attention
from cnnzoo.pytorch.modules.build import build
from cnnzoo.totals import totals
from cnnzoo.zoo import get_builder

DATA = Path(__file__).parent / "data"


class Case(NamedTuple):
    """A description, at what sizes it is tried, and what it is to be: a module, or what a file says of one."""

    describe: Callable[[], Join]
    sizes: tuple[Any, ...]
    original: Callable[[], nn.Module] | dict[str, Any]


def known(file: str, *described: Callable[[], Join], **named: Callable[[], Join]) -> dict[str, Case]:
    """The cases of a file. `outputs` are the first values and the norm of what `reference.image` gives with the weights
    of `reference.fill`; `state` has the names and shapes of each module's tensors in their order, where "norm 64" is a
    batch norm of 64 channels. Of torchvision's networks `num_params` and `gmacs` are what it publishes for the size
    `input`, and `macs` what `torch.utils.flop_counter` counts; `norm` is the eps and the momentum of all
    normalisations, and `p` the chance of each layer that drops something."""
    networks = json.loads((DATA / file).read_text())["networks"]
    return {
        name: Case(one, tuple(tuple(out["input"]) for out in known["outputs"]), known)
        for name, one in {**{one.__name__: one for one in described}, **named}.items()
        for known in [networks[name]]
    }


def state_of(known: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a state dict that a file says."""
    state = {}
    for path, tensors in known["state"].items():
        for tensor in tensors.split(", "):
            name, _, lengths = tensor.partition(" ")
            shape = tuple(map(int, filter(None, lengths.split("x"))))
            if name == "norm":
                own = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), shape)
                state |= {f"{path}.{key}": value for key, value in {**own, "num_batches_tracked": ()}.items()}
            else:
                state[f"{path}.{name}"] = shape
    return state


TORCHVISION = known("said_torchvision.json", **torchvision.SAID)
PAIR = ((3, 19, 19), (3, 19, 19))
CASES = {
    **TORCHVISION,
    **known("said_timm.json", timm.hrnet_w18_small),
    **known("said_timm.json", dla34=dla34.describe, dpn68=dpn68.describe, res2net50_26w_4s=res2net50_26w_4s.describe),
    **known("said_timm.json", attention.selective_kernel, attention.cbam, eca=partial(channel_attention, 64)),
    "cbam_resnet50": Case(
        partial(cbam_resnet50.describe, width=16, depth=2, num_classes=10),
        ((3, 64, 64), (3, 96, 64)),
        written.CbamResNet,
    ),
    "unet": Case(partial(graphs.unet, 4), ((3, 32, 48), (3, 16, 16)), partial(written.UNet, 4)),
    "unet_2015": Case(partial(graphs.unet_2015, 4), ((3, 188, 188), (3, 188, 204)), partial(written.UNet, 4, 0)),
    "resizing_unet": Case(
        partial(graphs.resizing_unet, 4), ((3, 16, 16), (3, 21, 13)), partial(written.ResizingUNet, 4)
    ),
    "siamese": Case(graphs.siamese, (PAIR, ((3, 32, 25), (3, 21, 24))), written.Siamese),
    "siamese_in_one": Case(graphs.siamese_in_one, ((6, 19, 19), (6, 32, 25)), written.SiameseInOne),
    "retinanet": Case(graphs.retinanet, ((3, 32, 32), (3, 40, 72)), written.RetinaNet),
    "unread": Case(graphs.unread, ((3, 8, 8), (3, 9, 7)), written.Unread),
}

each = pytest.mark.parametrize("name", CASES)


@cache
def described(name: str) -> Join:
    return CASES[name].describe()


def inputs(size: Any) -> list[torch.Tensor]:
    return [image(shape, 2) * (1 + place) for place, shape in enumerate(shapes_of(size))]


@torch.no_grad()
def outputs(net: nn.Module, given: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    y = net(*given)
    return y if isinstance(y, tuple) else (y,)


def begins(y: torch.Tensor, first: list[float]) -> bool:
    scale = max(map(abs, first))
    return bool(y.flatten()[: len(first)].tolist() == pytest.approx(first, rel=1e-5, abs=1e-5 * scale))


@pytest.mark.wide
@each
def test_is_the_original(name):
    """The same names and shapes in the same order and, for the same weights, the same outputs."""
    case = CASES[name]
    net = build(described(name), case.sizes[0], init=None).eval()
    state = net.state_dict()
    net.load_state_dict(fill(state))
    ours = [(key, tuple(value.shape)) for key, value in state.items()]
    assert dict(ours) == calculate(described(name), case.sizes[0]).tensors
    if isinstance(case.original, dict):
        assert ours == [*state_of(case.original).items()]
        for out in case.original["outputs"]:
            (y,) = outputs(net, [image(tuple(out["input"]))])
            assert begins(y, out["first"])
            assert y.norm().item() == pytest.approx(out["norm"], rel=1e-5)
    else:
        original = case.original().eval()
        assert ours == [(key, tuple(value.shape)) for key, value in original.state_dict().items()]
        original.load_state_dict(fill(original.state_dict()))
        for size in case.sizes:
            ys, zs = outputs(net, inputs(size)), outputs(original, inputs(size))
            assert [y.shape for y in ys] == [z.shape for z in zs]
            assert all(map(torch.equal, ys, zs))
    for place, given in enumerate(inputs(case.sizes[0])):
        changed = inputs(case.sizes[0])
        changed[place] = given.flip(0)
        for y, z in zip(outputs(net, inputs(case.sizes[0])), outputs(net, changed), strict=True):
            assert (y - z).abs().max() > 1e-3 * y.abs().max(), "the outputs depend on each input"


@pytest.mark.wide
@each
def test_is_calculated_as_measured(name, wide):
    case = CASES[name]
    own = [tuple(case.original["input"])] if wide and name in TORCHVISION else []
    for size in [*case.sizes, *own]:
        for batch in (1, 3) if wide else (2,):
            agreement = check(described(name), size, batch_size=batch)
            assert agreement.agrees, [agreement.problem, *map(str, agreement.differences[:5])]
        report = calculate(described(name), size)
        summed = totals(described(name), size)._asdict()
        both = summed.keys() & report.totals.keys()
        assert len(both) > 5
        assert {key: summed[key] for key in both} == {key: report.totals[key] for key in both}


@each
def test_has_a_repr_and_a_json_that_say_it(name):
    description = described(name)
    assert eval(repr(description), vars(arch)) == description
    assert loads(dumps(description)) == description
    assert hash(loads(dumps(description))) == hash(description)


@pytest.mark.wide
@pytest.mark.parametrize("name", TORCHVISION)
def test_figures_are_torchvisions(name):
    known = TORCHVISION[name].original
    report = calculate(described(name), tuple(known["input"]))
    assert report.total_params + report.totals["aux_params"] == known["num_params"]
    assert report.total_macs == known["macs"]
    assert round(report.total_macs / 1e9, 3) == known["gmacs"]
    assert [*report.tensors.items()] == [*state_of(known).items()]


@pytest.mark.parametrize("name", TORCHVISION)
def test_settings_that_show_in_training_alone_are_torchvisions(name):
    known = TORCHVISION[name].original
    layers = [node for _, node in walk(described(name)) if isinstance(node, Layer)]
    norms = {(layer.eps, layer.settings.get("momentum")) for layer in layers if "Norm" in type(layer).__name__}
    assert norms == ({tuple(known["norm"])} if known["norm"] else set())
    assert [round(one.p, 9) for one in layers if isinstance(one, Dropout | StochasticDepth)] == known["p"]


def test_inception_v3_has_torchvisions_auxiliary_head():
    known = TORCHVISION["inception_v3"].original["outputs"]
    net = build(described("inception_v3"), tuple(known[0]["input"]), init=None).eval()
    net.load_state_dict(fill(net.state_dict()))
    seen = []
    net.Mixed_6e.register_forward_hook(lambda *call: seen.append(call[2]))
    for out in known:
        outputs(net, [image(tuple(out["input"]))])
        assert begins(outputs(net.AuxLogits, seen)[0], out["aux"])
        seen.clear()
    logits = net.train()(image((3, 299, 299), 2))
    assert logits._fields == ("logits", "AuxLogits")
    assert [tuple(one.shape) for one in logits] == [(2, 1000), (2, 1000)]


def test_least_input_of_inception_v3():
    """torchvision says 75, and its network with the head trains from 299."""
    for least, heads in ((75, False), (299, True)):
        net = get_builder("inception_v3").describe(aux_logits=heads)
        assert calculate(net, (3, least, least)).rows[-1].output_shape == (1000,)
        with pytest.raises(ShapeError, match=r"^at (Mixed_7a|AuxLogits)\."):
            calculate(net, (3, least - 1, least - 1))


def test_unet_of_2015_has_the_sizes_of_its_figure():
    report = calculate(graphs.unet_2015(), (1, 572, 572))
    assert report["encoder.block5"].output_shape == (1024, 28, 28)
    assert report[""].output_shape == (2, 388, 388)
