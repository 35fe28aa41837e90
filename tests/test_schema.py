"""`cnnzoo/schema.json` says what `cnnzoo summary --format json` writes, neither less nor more."""

import json
from copy import deepcopy
from dataclasses import replace
from importlib.resources import files

import pytest
from click.testing import CliRunner
from hypothesis import given
from jsonschema import Draft202012Validator
from strategies import networks

import cnnzoo
from cnnzoo.arch import Concat, Conv2d, ConvTranspose2d, From, Linear, Outputs, Residual, Run, Sequential, Upsample
from cnnzoo.calculate import calculate
from cnnzoo.cli import cli
from cnnzoo.render.document import FORMATS
from cnnzoo.report import ITEM_BYTES, SUMMED, Row, Unknown
from cnnzoo.report.rows import NOTHING
from cnnzoo.zoo import list_models

SCHEMA = json.loads(files("cnnzoo").joinpath("schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

BARE = {
    "a layer alone": (Conv2d(4, 3), (3, 8, 8)),
    "a vector": (Sequential(Linear(7), Linear(2)), (5,)),
    "height and width apart": (Sequential(Conv2d(4, (3, 5), stride=(1, 2), padding=(0, 1))), (3, 16, 16)),
    "an unknown receptive field": (Concat(Conv2d(2, 1), Conv2d(2, 1, stride=2)), (3, 1, 1)),
    "larger maps": (Sequential(ConvTranspose2d(4, (3, 2), stride=(2, 1)), Upsample(scale_factor=2)), (3, 8, 8)),
    "several inputs and outputs": (
        Sequential(a=From("input.0", Conv2d(4, 1)), b=Run("a", "input.1"), out=Outputs("a", "b")),
        ((3, 8, 8), (3, 4, 4)),
    ),
    "a join at the root": (Residual(Conv2d(3, 3, padding=1)), (3, 4, 4)),
}


def test_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_every_figure_is_described():
    for name in ("row", "totals"):
        for figure, entry in SCHEMA["$defs"][name]["properties"].items():
            assert entry.get("description"), f"{name}.{figure}"


def test_the_dtypes_are_those_there_are():
    assert SCHEMA["properties"]["dtype"]["enum"] == list(ITEM_BYTES)


@pytest.mark.wide(3, 20)
@pytest.mark.parametrize("name", list_models())
def test_every_network_s_json_is_valid(name):
    result = CliRunner().invoke(cli, ["summary", name, "--format", "json", "--batch-size", "3", "--dtype", "float16"])
    document = json.loads(result.stdout)
    VALIDATOR.validate(document)
    report = cnnzoo.summary(name, batch_size=3, dtype="float16")
    assert document == report.to_dict(), "plain values: JSON changes nothing"


@pytest.mark.parametrize("case", BARE)
def test_a_bare_description_s_report_is_valid(case):
    document = calculate(*BARE[case]).to_dict()
    VALIDATOR.validate(document)
    assert document["model"] is document["paper"] is None


def test_the_unknown_is_null():
    document = calculate(*BARE["an unknown receptive field"]).to_dict()
    assert document["totals"]["receptive_field"] is None
    assert document["rows"][-1]["receptive_field"] is None


def test_ranges_and_fractions():
    document = calculate(*BARE["larger maps"]).to_dict()
    assert json.loads(json.dumps(document)) == document
    last = document["rows"][-1]
    assert last["receptive_field"] == [{"least": 1, "most": 2}, 2]
    assert (last["effective_stride"], last["effective_padding"]) == (["1/4", "1/2"], 1)


def test_several_values_are_all_there():
    document = calculate(*BARE["several inputs and outputs"]).to_dict()
    assert (document["input_size"], document["more_inputs"]) == ([3, 8, 8], [[3, 4, 4]])
    assert document["outputs"] == {"a": [4, 8, 8], "b": [4, 4, 4]}
    assert (document["blocks"][0]["more_inputs"], document["blocks"][0]["more_outputs"]) == ([[3, 4, 4]], [[4, 4, 4]])
    assert calculate(*BARE["a vector"]).to_dict()["outputs"] == {}


@given(networks((3, 9, 7), steps=True))
def test_every_description_s_report_is_valid(description):
    document = calculate(description, (3, 9, 7)).to_dict()
    VALIDATOR.validate(document)
    assert json.loads(json.dumps(document)) == document


DOCUMENT = cnnzoo.summary("lenet5").to_dict()
PLACES = {
    "report": lambda document: document,
    "row": lambda document: document["rows"][2],
    "block": lambda document: document["blocks"][0],
    "totals": lambda document: document["totals"],
}
KEYS = [(place, key) for place, find in PLACES.items() for key in find(DOCUMENT)]


@pytest.mark.wide
@pytest.mark.parametrize(("place", "key"), KEYS)
def test_every_key_is_required(place, key):
    document = deepcopy(DOCUMENT)
    del PLACES[place](document)[key]
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize("place", PLACES)
def test_no_other_key_is_allowed(place):
    document = deepcopy(DOCUMENT)
    PLACES[place](document)["surprise"] = 0
    assert not VALIDATOR.is_valid(document)


@pytest.mark.wide
@pytest.mark.parametrize(("place", "key"), KEYS)
def test_no_key_takes_any_value(place, key):
    document = deepcopy(DOCUMENT)
    PLACES[place](document)[key] = {"what": {}}
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.update(schema_version=1),
        lambda document: document.update(dtype="float31"),
        lambda document: document.update(batch_size=0),
        lambda document: document.update(input_size=[3, 0, 224]),
        lambda document: document.update(input_size=[[]]),
        lambda document: document["totals"].update(macs=-1),
        lambda document: document["totals"].update(params=60000.5),
        lambda document: document["totals"].update(params="60,000"),
        lambda document: document["totals"].update(params=None),
        lambda document: document["totals"].update(macs=None),
        lambda document: document.update(status="partial"),
        lambda document: document.update(status="unknown"),
        lambda document: document["unknown"].append({"path": "c1", "what": "aten::conv", "why": "nobody knows"}),
        lambda document: document["rows"][0].update(call=-1),
        lambda document: document["totals"].update(receptive_field=[1, 2, 3]),
        lambda document: document["totals"].update(receptive_field={"least": 1}),
        lambda document: document["totals"].update(receptive_field="1-2"),
        lambda document: document["totals"].update(effective_stride=0.5),
        lambda document: document["totals"].update(effective_stride="1/0"),
        lambda document: document["totals"].update(effective_padding="1/2"),
        lambda document: document["rows"][0].update(output_shape="6x28x28"),
        lambda document: document["rows"][0]["tensors"].update(weight=[6, 1, 5, 0]),
        lambda document: document["rows"][0]["settings"].update(kernel_size={"height": 5}),
        lambda document: document["rows"].append("output"),
    ],
)
def test_tampered_documents_are_refused(spoil):
    document = deepcopy(DOCUMENT)
    VALIDATOR.validate(document)
    spoil(document)
    assert not VALIDATOR.is_valid(document)


# What is known in part


def partial_report(more: Row):
    """LeNet-5 with a row more, of which something is unknown."""
    report = cnnzoo.summary("lenet5")
    more = more._replace(path="more", kind="More", input_shape=(10,), output_shape=(10,))
    unknown = (Unknown("more", "more", "nobody knows"),)
    return replace(report, rows=(*report.rows, more), unknown=unknown)


FIGURES = [name for name in SUMMED if name not in ("activation_bytes", "stored_bytes")]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("part", [0, 7])
def test_a_total_of_which_some_is_unknown_is_null_and_the_known_part_beside_it(name, part):
    whole, report = cnnzoo.summary("lenet5"), partial_report(NOTHING._replace(**{name: part}).in_part([name]))
    sums = {name, *(["params"] if name in ("weights", "biases") else []), *(["flops"] if name == "macs" else [])}
    of_them = sums | ({"param_bytes", "peak_bytes"} if "params" in sums else set())
    of_them |= {"buffer_bytes", "peak_bytes"} if "buffers" in sums else set()
    assert {total for total, value in report.totals.items() if value is None} == of_them
    assert {total: report.known.get(total, 0) for total in sums} == {
        total: whole.totals[total] + part * (2 if total == "flops" else 1) for total in sums
    }
    assert report[""].known == {one: report.known[one] for one in sums if one in report.known}
    VALIDATOR.validate(json.loads(json.dumps(report.to_dict())))


def test_every_format_says_of_a_sum_that_it_is_a_part():
    report = partial_report(NOTHING._replace(macs=None))
    known = f"{report.known['macs']:,}"
    said = {format_: report.document().text(format_) for format_ in FORMATS}
    for format_, sign in {"table": "≥ ", "text": ">= ", "markdown": "≥ ", "html": "≥ ", "latex": r"{$\geq$} "}.items():
        assert f"{sign}{known}" in said[format_], format_
        assert f"at least {known} a sample" in said[format_], format_
    assert json.loads(said["json"])["known"] == dict(report.known)
    with pytest.raises(TypeError):
        report.total_macs + 1
