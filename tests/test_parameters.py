"""A module without an input: a table of its parameters, as torchinfo's."""

import json
from importlib.resources import files

import pytest
import torch
from torch import nn

import cnnzoo
from cnnzoo.pytorch.measuring.measure import PartialError
from cnnzoo.zoo import list_models

SMALL = [name for name in list_models() if cnnzoo.get_builder(name).pinned.params < 3e7]


class Tied(nn.Module):
    """Weights of its own, weights that are shared, a frozen one, and buffers."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(5))
        self.register_buffer("seen", torch.zeros(3))
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4, bias=False)
        self.second.weight = self.first.weight
        self.norm = nn.BatchNorm1d(4)
        self.first.bias.requires_grad_(False)

    def forward(self, x):
        raise AssertionError("nothing is run")


@pytest.mark.wide(3)
@pytest.mark.parametrize(
    "make",
    [
        Tied,
        lambda: nn.Sequential(Tied(), Tied()),
        lambda: nn.MultiheadAttention(8, 2),
        lambda: nn.Sequential(nn.LSTM(3, 4), nn.ReLU()),
        lambda: nn.ReLU(),
        lambda: nn.Linear(3, 4, dtype=torch.float16),
        *(lambda name=name: cnnzoo.create_model(name, init=None, device="meta") for name in SMALL),
    ],
)
def test_parameters_are_known_without_an_input(make):
    module = make()
    before = {name: id(one) for name, one in module.state_dict(keep_vars=True).items()}
    report = cnnzoo.summary(module)
    parameters = list(module.parameters())
    assert report.total_params == sum(one.numel() for one in parameters)
    assert report.trainable_params == sum(one.numel() for one in parameters if one.requires_grad)
    assert report.total_buffers == sum(one.numel() for one in module.buffers())
    assert report.totals["param_bytes"] == sum(one.numel() * one.element_size() for one in parameters)
    assert (report.total_macs, report.status, report.input_size) == (None, "partial", ())
    assert {name: id(one) for name, one in module.state_dict(keep_vars=True).items()} == before
    assert "nothing was run" in str(report)
    assert "?" in str(report)
    assert all(
        report.totals[name] is None for name in ("macs", "activations", "activation_bytes", "peak_bytes", "depth")
    )


def test_it_is_a_report_as_any():
    jsonschema = pytest.importorskip("jsonschema")
    report = cnnzoo.summary(Tied())
    schema = json.loads(files("cnnzoo").joinpath("schema.json").read_text())
    jsonschema.validate(json.loads(json.dumps(report.to_dict())), schema)
    assert cnnzoo.compare(Tied(), "lenet5").networks[0]["macs"] is None
    assert "<table>" in report._repr_html_()


def test_an_input_that_is_half_said_is_none():
    with pytest.raises(PartialError, match="nothing was run"):
        cnnzoo.summary(Tied(), strict=True)
    for half in ({"batch_size": 3}, {"x": 3}):
        with pytest.raises(ValueError, match="input_size"):
            cnnzoo.summary(Tied(), **half)
