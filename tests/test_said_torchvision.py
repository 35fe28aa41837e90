"""Networks of torchvision in `said/torchvision.py`, held to what it says of them, in `data/said.json`.

`state` has, for each module with tensors, their names and shapes; "norm 64" is a batch norm of 64 channels.
`num_params` and `gmacs` are what torchvision publishes, `macs` what `torch.utils.flop_counter` counts in its network.
`outputs` are the first logits for the weights and images of `reference`, and the norm of all.
"""

import json
from pathlib import Path

import pytest
import torch
from reference import fill, image
from said.torchvision import SAID

from cnnzoo import arch
from cnnzoo.arch import dumps, loads
from cnnzoo.calculate import calculate
from cnnzoo.features.check import check
from cnnzoo.pytorch.modules.build import build
from cnnzoo.totals import totals

KNOWN = json.loads((Path(__file__).parent / "data" / "said.json").read_text())["networks"]

each = pytest.mark.parametrize("name", SAID)


def state_of(known):
    """The state dict's names and shapes, in order."""
    state = {}
    for path, tensors in known["state"].items():
        for one in tensors.split(", "):
            name, _, shape = one.partition(" ")
            lengths = tuple(map(int, filter(None, shape.split("x"))))
            if name == "norm":
                own = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), lengths)
                state |= {f"{path}.{key}": value for key, value in {**own, "num_batches_tracked": ()}.items()}
            else:
                state[f"{path}.{name}"] = lengths
    return state


def sizes_of(name):
    return [tuple(one["input"]) for one in KNOWN[name]["outputs"]]


def test_all_are_said():
    assert sorted(SAID) == sorted(KNOWN)


@each
def test_state_and_figures_are_torchvisions(name):
    known = KNOWN[name]
    report = calculate(SAID[name](), tuple(known["input"]))
    assert list(report.tensors.items()) == list(state_of(known).items())
    assert report.total_params + report.totals["aux_params"] == known["num_params"]
    assert report.total_macs == known["macs"]
    assert round(report.total_macs / 1e9, 3) == known["gmacs"]


@each
def test_outputs_are_torchvisions(name):
    first = build(SAID[name](), sizes_of(name)[0], init=None).eval()
    state = first.state_dict()
    assert [(key, tuple(value.shape)) for key, value in state.items()] == list(state_of(KNOWN[name]).items())
    first.load_state_dict(fill(state))
    seen = []
    if name == "inception_v3":
        first.Mixed_6e.register_forward_hook(lambda *call: seen.append(call[2]))
    for known in KNOWN[name]["outputs"]:
        with torch.no_grad():
            logits = first(image(tuple(known["input"])))[0]
            same(logits, known["logits"])
            assert logits.norm().item() == pytest.approx(known["norm"], rel=1e-5)
            if "aux" in known:
                same(first.AuxLogits(seen.pop())[0], known["aux"])
    with torch.no_grad():
        other = first(image(tuple(known["input"]), 2))[1]
    assert (other - logits).abs().max() > 1e-3 * logits.abs().max(), "the outputs depend on the input"


def same(logits, known):
    assert logits[:8].tolist() == pytest.approx(known, rel=1e-5, abs=1e-5 * max(map(abs, known)))


def test_the_auxiliary_head_is_a_field_in_training():
    net = build(SAID["inception_v3"](5), (3, 299, 299), init="torch")
    out = net(image((3, 299, 299), 2))
    assert out._fields == ("logits", "AuxLogits")
    assert [tuple(one.shape) for one in out] == [(2, 5), (2, 5)]


@each
def test_calculated_is_measured(name, wide):
    description = SAID[name]()
    for size in [*sizes_of(name), *([tuple(KNOWN[name]["input"])] if wide else [])]:
        for batch in (1, 3) if wide else (2,):
            result = check(description, size, batch, name)
            assert result.agrees, [str(one) for one in result.differences[:5]]
            assert result.figures > 13 * result.rows


@each
def test_totals_are_the_reports(name):
    for size in sizes_of(name):
        report = calculate(SAID[name](), size)
        found = totals(SAID[name](), size)._asdict()
        shared = found.keys() & report.totals.keys()
        assert len(shared) > 5
        assert {key: found[key] for key in shared} == {key: report.totals[key] for key in shared}


@each
def test_round_trips(name):
    description = SAID[name]()
    assert eval(repr(description), vars(arch)) == description
    assert loads(dumps(description)) == description
    assert hash(loads(dumps(description))) == hash(description)
