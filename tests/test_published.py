"""The papers' figures: each agrees with what is calculated, or is explained, or its slip is."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from command import call

from cnnzoo import published
from cnnzoo.arch import Conv2d, Sequential
from cnnzoo.calculate import calculate
from cnnzoo.features.summary import summary
from cnnzoo.published.quantities import QUANTITIES
from cnnzoo.zoo import get_builder, list_models

EVERY_FIGURE = [figure for name in list_models() for figure in published.figures(name)]
ALEXNET_LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
RESNETS = ("resnet18", "resnet34", "resnet50_v1", "resnet101_v1", "resnet152_v1")


def rows(name, *paths, **settings):
    report = summary(name, **settings)
    return report, tuple(report[path] for path in paths)


def calculated(name, quantity, *paths, **settings):
    return QUANTITIES[quantity](*rows(name, *(paths or ("",)), **settings))


def figure(name, quantity, paths=("",), source=""):
    found = [
        one
        for one in published.figures(name)
        if (one.quantity, one.paths, one.ratio) == (quantity, paths, None) and one.source.startswith(source)
    ]
    assert len(found) == 1, (name, quantity, paths, source)
    return found[0]


def listed(value):
    return [listed(one) for one in value] if isinstance(value, tuple) else value


def printed(figure):
    return listed(figure.printed) if isinstance(figure.printed, tuple) else float(figure.printed.replace(",", ""))


@pytest.mark.parametrize("figure", EVERY_FIGURE, ids=lambda one: f"{one.model}-{one.quantity}-{' '.join(one.paths)}")
def test_figure_is_whole(figure):
    assert figure.agreement in ("exact", "rounds", "truncates", "differs")
    assert figure.unit in published.UNITS
    assert figure.where
    assert re.search(r"\(\d{4}\)|torchvision", figure.source)
    assert re.match(r"arXiv:|doi:|https://", figure.link)
    assert str(figure).startswith(f"{figure.where} prints ")
    assert figure.verdict in set(published.VERDICTS) - {"disagrees"}, figure.slip or figure.reading
    assert not figure.because or figure.verdict == "explained", "an explanation of what needs none"
    assert not (figure.because and figure.slip)
    if figure.verdict != "slip":
        assert tampered(figure).verdict == "disagrees"
    if figure.because:
        assert figure._replace(because=()).verdict == "disagrees", "explained without it"


def tampered(figure):
    """The same figure with another digit in front, or another number."""
    if isinstance(figure.printed, tuple):
        return figure._replace(printed=(*figure.printed[:-1], 7919))
    return figure._replace(printed=f"{(int(figure.printed[0]) + 4) % 9 + 1}{figure.printed[1:]}")


def test_verify_finds_what_disagrees(monkeypatch):
    ours = published._family

    def family(name):
        found = ours(name)
        changed = {("vgg16", "138"): "183", ("vgg16", "15.3"): "15.4", ("vgg19", "144"): "145"}
        figures = [one._replace(printed=changed.get((one.model, one.printed), one.printed)) for one in found.figures]
        return found._replace(figures=tuple(figures))

    assert call("verify", "vgg16", "lenet5").code == 0
    monkeypatch.setattr(published, "_family", family)
    result = call("verify", "vgg1*", "lenet5", "--format", "json")
    assert result.code == 1
    assert re.match("Error: 4 printed figures without an explanation: 183 M parameters of vgg16", result.err)
    data = json.loads(result.out)
    assert data["verdicts"]["disagrees"] == data["reasons"]["none"] == 4
    assert {one["printed"] for one in data["figures"] if one["verdict"] == "disagrees"} == {"183", "15.4", "145"}
    assert call("verify", "vgg16", "--reason", "none").out.count("DISAGREES") == 3


def test_verify_counts_what_it_lists():
    found = json.loads(call("verify", "res*", "--format", "json").succeeded())
    rows = json.loads(call("verify", "res*", "--counts", "--format", "json").succeeded())
    assert sum(row["figures"] for row in rows) == sum(found["verdicts"].values()) == len(found["figures"])
    for row in rows[2:]:
        reason = row["kind"]
        of = json.loads(call("verify", "res*", "--reason", reason, "--format", "json").succeeded())["figures"]
        assert row["figures"] == len(of) == found["reasons"][reason]
        assert {one["reason"] for one in of} <= {reason}


def test_an_explanation_that_is_not_true_explains_nothing():
    (one,) = (one for one in published.figures("vgg16") if one.printed == "15.3")
    assert (one.verdict, one.explanation) == (
        "explained",
        "As multiply-adds, without the fully connected layers: 15,346,630,656 rounds to it",
    )
    for other in ((("without", ("classifier",)),), (("settings", (("input_size", (3, 225, 225)),)),), (("digits", 3),)):
        assert one._replace(because=other).verdict == "disagrees"


def test_figures_are_all_different():
    assert len(set(EVERY_FIGURE)) == len(EVERY_FIGURE)
    assert len({figure[:2] + figure[3:5] + figure[8:11] for figure in EVERY_FIGURE}) == len(EVERY_FIGURE)


def test_every_figure_of_a_file_is_of_a_registered_network():
    for file in Path(published.__file__).parent.glob("*.json"):
        variants, figures = published._family(file.stem)
        assert {*variants, *variants.values()} <= set(list_models())
        for model in {figure.model for figure in figures}:
            assert published._name_of_family(get_builder(model)) == file.stem, (
                f"{model} in {file.name} is never asked for"
            )


def without_norms(report):
    """Its parameters without those of batch normalisation."""
    return report.total_params - sum(row.params for row in report.rows if row.kind == "BatchNorm2d")


def numbers_of_notes():
    """Every number that a note states, by a calculation of its own."""
    alexnet, vgg19 = summary("alexnet"), summary("vgg19")
    googlenet, resnet50 = summary("googlenet"), summary("resnet50")
    list_of_figure_2 = [printed(figure("alexnet", "neurons", (layer,))) for layer in ALEXNET_LAYERS]
    resnext = summary("resnext50_32x4d", groups=8, width_per_group=14)
    normalised = sum(row.params for row in resnet50.rows if row.kind == "BatchNorm2d")
    separable = calculate(
        Sequential(Conv2d(24, 7, stride=2, padding=3, groups=3, bias=False), Conv2d(64, 1, bias=False)), (3, 224, 224)
    )
    ops = [printed(one) for one in published.figures("googlenet") if one.quantity == "macs" and one.where == "Table 1"]
    with_separable = googlenet.total_macs - googlenet["conv1"].macs + separable.total_macs
    column = sum(printed(one) for one in published.figures("googlenet") if one.quantity == "weights")
    assert round(alexnet.total_params / (column * 1024)) == 9
    assert round(column / 1e3, 1) == printed(figure("googlenet", "params", source="Howard"))
    assert round(printed(figure("googlenet", "weights", ("inception5a",))) * 1024 * 49 / 1e6) == 54
    return {
        "622,312": sum(list_of_figure_2),
        "659,272": sum(calculated("alexnet", "neurons", layer) for layer in ALEXNET_LAYERS),
        "290,400": 96 * 55 * 55,
        "253,440": 55 * 48 * 96,
        "0.0005": alexnet["norm1"].settings["alpha"],
        "19.5": round(vgg19["features"].macs / 1e9, 1),
        "3,663,761,408": summary("resnet34").total_macs,
        "3.7": round(summary("resnet34").total_macs / 1e9, 1),
        "3.6": printed(figure("plain34", "macs", source="He")),
        "19.6": printed(figure("vgg19", "macs", source="He")),
        "25,503,912": resnet50.total_params - normalised,
        "466,906": summary("resnet32", shortcut="B").total_params,
        "0.47": round(summary("resnet32", shortcut="B").total_params / 1e6, 2),
        "855,770": summary("resnet56", shortcut="B").total_params,
        "0.86": round(summary("resnet56", shortcut="B").total_params / 1e6, 2),
        "68,054,720": without_norms(summary("resnext29_16x64d")) - 10,
        "1,502": sum(ops),
        "1,582.7": round(googlenet.total_macs / 1e6, 1),
        "1,498.7": round(with_separable / 1e6, 1),
        "25,557,032": resnet50.total_params,
        "71,456": resnext["layer1.1"].macs // 56**2,
        "30,640,040": with_statistics(resnet50)
        + sum(row.weights for row in summary("seresnet50", reduction=8).rows if ".se." in row.path),
        "5.1": round(alexnet.total_params / 12 / 1e6, 1),
        "6.96": round(column * 1024 / 1e6, 2),
        "18.57": printed(figure("darknet53", "flops", source="Wang")),
        "51.1": round(googlenet["inception5a"].macs / 1e6, 1),
        "6.06": round(without_norms(summary("mobilenet_v2", width_mult=1.4)) / 1e6, 2),
        "4.4": round(summary("efficientnet_b4").total_macs / 1e9, 1),
        "49.5": round(calculated("efficientnet_b4", "conv_outputs") / 1e6, 1),
        "10.3": round(summary("efficientnet_b5").total_macs / 1e9, 1),
        "2.3": round(summary("squeezenet1_0").total_macs / summary("squeezenet1_1").total_macs, 1),
        "2.15": round(summary("squeezenet1_0", 227).total_macs / summary("squeezenet1_1", 227).total_macs, 2),
    }


def with_statistics(report):
    """Parameters and running statistics, as Keras counts; its batch normalisation does not count batches."""
    return report.total_params + sum(row.buffers - 1 for row in report.rows if row.kind.startswith("BatchNorm"))


def test_numbers_of_notes_are_right():
    known = numbers_of_notes()
    stated = {
        number
        for figure in EVERY_FIGURE
        for number in re.findall(
            r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+)(?!\d)", figure.note + figure.slip
        )
        if not number.startswith(("4.1",))  # a section
    }
    assert stated == set(known)
    for text, number in known.items():
        assert float(text.replace(",", "")) == number, text


PARTS = {
    ("vgg16", "params", "classifier"): 4096 * 1000 + 1000,
    ("vgg16", "macs", "classifier"): 4096 * 1000,
    ("vgg16", "macs", "linear"): 25_088 * 4096 + 4096 * 4096 + 4096 * 1000,
    ("squeezenet1_0", "macs", "classifier"): 512 * 1000 * 13 * 13,
    ("fcn32s", "params", "upsampling"): 21 * 21 * 64 * 64,
    ("resnet50", "params", "norms"): 53_120,
    ("resnet50", "params", "statistics"): 53_120,
    ("vgg16", "params", "biases"): 4224 + 4096 + 4096 + 1000,
    ("resnet50", "params", "biases"): 1000,
    ("preresnet1001", "params", "last_bias"): 10,
    ("resnet50", "macs", "shortcuts"): 3 * 256 * 56**2 + 4 * 512 * 28**2 + 6 * 1024 * 14**2 + 3 * 2048 * 7**2,
    ("seresnet50", "macs", "gates"): 3 * 256 * 56**2 + 4 * 512 * 28**2 + 6 * 1024 * 14**2 + 3 * 2048 * 7**2,
    ("seresnet50", "params", "gate_biases"): sum(
        blocks * (width + width // 16) for blocks, width in ((3, 256), (4, 512), (6, 1024), (3, 2048))
    ),
    ("lenet5_modern", "macs", "additions"): 6 * 28**2 + 16 * 10**2,
    ("convnext_tiny", "macs", "layer_norms"): 5
    * (
        4 * 96 * 56**2
        + 96 * 56**2
        + 3 * 192 * 28**2
        + 192 * 28**2
        + 9 * 384 * 14**2
        + 384 * 14**2
        + 3 * 768 * 7**2
        + 768
    ),
}
"""What each part that may be counted in or left out comes to, by hand."""


@pytest.mark.parametrize(("name", "quantity", "part"), PARTS)
def test_part_is_what_it_says(name, quantity, part):
    plain = published.PrintedFigure(name, quantity, "1", "Table 1", "nobody (2000)", "doi:")
    assert plain.exact - plain._replace(without=(part,)).exact == PARTS[name, quantity, part]
    assert plain._replace(with_parts=(part,)).exact - plain.exact == PARTS[name, quantity, part]


def test_every_part_is_counted_by_hand():
    assert {part for *_, part in PARTS} == set(published.PARTS)


def test_names_of_densenets_count_their_layers():
    assert [figure("densenet264", "depth").exact, 2 * (6 + 12 + 64 + 48) + 3 + 1 + 1] == [265, 265]


@pytest.mark.parametrize(
    ("text", "unit", "digits", "exact", "agreement"),
    [
        ("138", "M", None, 138_357_544, "rounds"),
        ("60", "M", None, 60_965_224, "truncates"),
        ("61", "M", None, 60_965_224, "rounds"),
        ("138.36", "M", None, 138_357_544, "rounds"),
        ("138.35", "M", None, 138_357_544, "truncates"),
        ("11.3", "G", None, 11_282_415_616, "rounds"),
        ("11.30", "G", None, 11_282_415_616, "differs"),
        ("15300", "M", None, 15_346_630_656, "differs"),
        ("15300", "M", 3, 15_346_630_656, "rounds"),
        ("160", "Ki", None, 163_328, "rounds"),
        ("159", "Ki", None, 163_328, "truncates"),
        ("1000", "Ki", None, 1_024_000, "exact"),
        ("1,516", "", None, 1516, "exact"),
        ("18", "%", None, 0.1856, "truncates"),
        ("0.0001", "", None, 5e-4 / 5, "exact"),
        ("0.00001", "", None, 1e-5, "exact"),
    ],
)
def test_agreement(monkeypatch, text, unit, digits, exact, agreement):
    one = published.PrintedFigure("vgg16", "params", text, "Table 2", "nobody (2000)", "doi:", unit=unit, digits=digits)
    monkeypatch.setattr(published.PrintedFigure, "exact", property(lambda self: exact))
    assert one.agreement == agreement


REMARKS = {
    "vgg16": ("Table 2 prints 138 M parameters; 138,357,544 rounds to it",),
    "vgg16_bn": ("Table 2 prints 138 M parameters; 138,357,544 of vgg16 rounds to it",),
    "alexnet": ("Abstract prints 60 M parameters; 60,965,224 truncates to it",),
    "resnet50": (
        "Table 1 prints 3.8 G FLOPs; as multiply-adds, 3,857,973,248 of resnet50_v1 truncates to it",
        "the paper prints no parameter count",
    ),
    "resnet34": (
        "Table 1 prints 3.6 G FLOPs; as multiply-adds, 3,644,493,824 with shortcut='A' rounds to it",
        "the paper prints no parameter count",
    ),
    "lenet5": (
        "Section II.A prints 60,000 parameters; 60,000 is exact",
        "Section II.A prints 340,908 connections; 340,908 is exact",
    ),
    "alexnet_tv": ("the paper prints no parameter count",),
    "densenet121": ("the paper prints no parameter count",),
}


@pytest.mark.parametrize("name", REMARKS)
def test_remarks(name):
    assert published.remarks(name) == REMARKS[name] == published.remarks(get_builder(name))


@pytest.mark.parametrize("name", list_models())
def test_every_network_says_what_its_paper_prints_of_its_parameters(name):
    """Once, or as often as the paper prints a number of them."""
    remarks = published.remarks(name)
    said = [line for line in remarks if re.search(r"\bparameter", line)]
    assert (
        said == ["the paper prints no parameter count"]
        or len({line.partition(" prints")[0] for line in said}) == len(said) > 0
    )


def test_summary_carries_the_remarks_where_they_are_of_the_same_thing():
    assert summary("vgg16").printed == REMARKS["vgg16"]
    assert summary("vgg16", (3, 224, 224), batch_size=8).printed == REMARKS["vgg16"]
    assert summary("vgg16", 256).printed == ()
    assert summary("vgg16", num_classes=10).printed == ()
    assert summary(get_builder("vgg16").describe(), (3, 224, 224)).printed == ()


def test_a_plugin_has_no_figures():
    class Plugin:
        name = "vgg16"
        __module__ = "somebody.models.vgg"

    assert published.figures(Plugin()) == ()
    assert published.remarks(Plugin()) == ()


def test_only_the_family_asked_for_is_read():
    import subprocess
    import sys

    code = (
        "import sys; from cnnzoo import published; before = published._family.cache_info().currsize;"
        "published.remarks('vgg16'); after = published._family.cache_info().currsize;"
        "print(before, after, sorted({'torch', 'numpy', 'fractions', 'decimal'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 1 []"


def test_stages_of_a_table_shrink():
    for name in RESNETS:
        sizes = [figure(name, "pixels", (path,)).exact for path in ("conv1", "layer1", "layer2", "layer3", "layer4")]
        assert all(before == 2 * after for before, after in pairwise(sizes))
