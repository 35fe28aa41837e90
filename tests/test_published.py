"""The papers' figures: every known fact of the six families comes out as stated, or is explained.

`data/facts.json` was collected and checked apart from this package: what a publication prints (`value`),
what is true (`exact`) and how the two agree. What no publication prints, and what is not of a registered
network, is calculated here.
"""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from cnnzoo import published
from cnnzoo.arch import Conv2d, Sequential
from cnnzoo.calculate import calculate
from cnnzoo.features.summary import summary
from cnnzoo.published.quantities import QUANTITIES
from cnnzoo.zoo import get_builder, list_models

FACTS = json.loads((Path(__file__).parent / "data" / "facts.json").read_text())

EVERY_FIGURE = [figure for name in list_models() for figure in published.figures(name)]
BLOCKS = [f"inception{name}" for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")]
ALEXNET_LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
RESNETS = ("resnet18", "resnet34", "resnet50_v1", "resnet101_v1", "resnet152_v1")


def rows(name, *paths, **settings):
    report = summary(name, **settings)
    return report, tuple(report[path] for path in paths)


def calculated(name, quantity, *paths, **settings):
    return QUANTITIES[quantity](*rows(name, *(paths or ("",)), **settings))


def figure(name, quantity, paths=("",), source="", unit=""):
    found = [
        one
        for one in published.figures(name)
        if (one.quantity, one.paths) == (quantity, paths)
        and one.source.startswith(source)
        and bool(one.ratio) == (unit in ("x", "%"))
    ]
    assert len(found) == 1, (name, quantity, paths, source, unit)
    return found[0]


def places():
    """Where a fact's figure is: (arch, config, quantity) -> networks, quantity, paths, publication."""

    def lenet():
        paths = {
            "C1": "c1",
            "S2": "s2",
            "C3": "c3",
            "S4": "s4",
            "C5": "c5",
            "F6": "f6",
            "OUTPUT": "output",
            "total": "",
        }
        words = {
            "output shape (maps,h,w)": "output_shape",
            "trainable parameters": "params",
            "connections": "connections",
        }
        for config, path in paths.items():
            for word, quantity in words.items():
                yield config, word, quantity, path
        yield "INPUT", "output shape (maps,h,w)", "input_shape", ""
        yield "C3 Table I", "S2 maps feeding each of the 16 C3 maps", "table", "c3"

    def alexnet():
        for layer in ALEXNET_LAYERS:
            yield layer, "neurons", "neurons", layer
            yield layer, "kernels (number,h,w,depth seen)", "kernels", layer
        yield "input", "dimensionality", "inputs", ""
        yield "whole net", "neurons (prose)", "neurons", " ".join(ALEXNET_LAYERS)
        yield "whole net", "parameters (prose)", "params", ""
        yield "conv2,conv4,conv5", "groups", "groups", "conv2 conv4 conv5"
        yield "conv1", "stride", "stride", "conv1"
        yield "LRN", "n", "size", "norm1 norm2"
        for quantity in ("k", "alpha", "beta"):
            yield "LRN", quantity, quantity, "norm1 norm2"
        yield "pooling", "window z", "kernel_size", "pool1 pool2 pool5"
        yield "pooling", "stride s", "stride", "pool1 pool2 pool5"

    def googlenet():
        names = {
            "convolution 7x7/2": "conv1",
            "convolution 3x3/1": "conv2 conv3",
            **{f"inception ({path[-2:]})": path for path in BLOCKS},
            **{f"max pool 3x3/2 ({number})": f"maxpool{number}" for number in range(1, 5)},
            "avg pool 7x7/1": "avgpool",
            "linear": "fc",
        }
        words = {
            "output size (h,w,c)": "height_width_channels",
            "depth": "depth",
            "params": "weights",
            "ops": "macs",
            "#1x1,#3x3red,#3x3,#5x5red,#5x5,pool proj": "filters",
        }
        for config, path in names.items():
            for word, quantity in words.items():
                yield config, word, quantity, path
        yield "aux (4a)", "5x5/3 average pool output", "height_width_channels", "aux1.pool"
        yield "aux (4d)", "5x5/3 average pool output", "height_width_channels", "aux2.pool"
        yield "whole net", "multiply-adds (prose)", "macs", ""
        yield "whole net", "fewer parameters than AlexNet", "params", ""

    for arch, rule, source in (
        ("LeNet-5", lenet, "LeCun"),
        ("AlexNet", alexnet, "Krizhevsky"),
        ("GoogLeNet", googlenet, "Szegedy"),
    ):
        name = {"LeNet-5": "lenet5"}.get(arch, arch.lower())
        for config, word, quantity, path in rule():
            yield (arch, config, word), ((name,), quantity, tuple(path.split()) or ("",), source)

    whole = ("",)
    torchvision = "AlexNet (torchvision)"
    yield (
        (torchvision, "64-192-384-256-256, 224 input, pad 2", "parameters"),
        (("alexnet_tv",), "params", whole, "torch"),
    )
    yield (torchvision, "same", "ops as printed (=MACs)"), (("alexnet_tv",), "macs", whole, "torch")
    vggs = {"A": ("vgg11", "vgg11_lrn"), "B": ("vgg13",), "C": ("vgg16c",), "D": ("vgg16",), "E": ("vgg19",)}
    for column, names in vggs.items():
        config = "A (and A-LRN)" if column == "A" else column
        yield ("VGG", config, "parameters (Table 2)"), (names, "params", whole, "Simonyan")
        yield ("VGG", column, "weight layers (Table 1)"), (names, "depth", whole, "Simonyan")
    stages = ("layer1", "layer2", "layer3", "layer4")
    for name in RESNETS:
        arch = name.removesuffix("_v1").replace("resnet", "ResNet-")
        yield (arch, "ImageNet Table 1, stride in first 1x1", "FLOPs (=MACs)"), ((name,), "macs", whole, "He, Zhang")
        yield (arch, "Table 1", "blocks per stage"), ((name,), "blocks", stages, "He, Zhang")
        yield (arch, "Table 2", "GFLOPs"), ((name,), "macs", whole, "Hu, Shen")
    for number, path in enumerate(("conv1", *stages), 1):
        config = "conv1" if number == 1 else f"conv{number}_x"
        yield ("ResNet (all)", config, "output size (Table 1)"), (RESNETS, "pixels", (path,), "He, Zhang")
    yield ("plain-34", "Fig. 3", "FLOPs (=MACs)"), (("plain34",), "macs", whole, "He, Zhang")
    for arch, name in (("VGG-16", "vgg16"), ("VGG-19", "vgg19")):
        yield (arch, "quoted in ResNet paper", "FLOPs (=MACs)"), ((name,), "macs", whole, "He, Zhang")
    yield ("VGG-16", "Table 2", "GFLOPs"), (("vgg16",), "macs", whole, "Hu, Shen")
    for word, quantity in (("parameters", "params"), ("FLOPs (=MACs)", "macs")):
        yield ("ResNet-50", "Table 1, stride in 3x3", word), (("resnet50",), quantity, whole, "Xie")
    yield ("DenseNet-201", "ImageNet", "parameters (prose/figure)"), (("densenet201",), "params", whole, "Huang")
    for arch, name, last in (
        ("FCN-AlexNet", "alexnet", "pool5"),
        ("FCN-VGG16", "vgg16", "features.30"),
        ("FCN-GoogLeNet", "googlenet", "inception5b"),
    ):
        for word, quantity, path in (
            ("conv. layers", "depth", ""),
            ("parameters", "params", ""),
            ("rf size", "receptive_field", ""),
            ("max stride", "effective_stride", last),
        ):
            yield (arch, "Table 1", word), ((name,), quantity, (path,), "Long")
    for config, name in (("GoogleNet", "googlenet"), ("VGG 16", "vgg16")):
        key = ("MobileNet v1", f"Table 8 {config} (quoted)", "mult-adds")
        yield key, ((name,), "macs", whole, "Howard")
        yield (*key[:2], "parameters"), ((name,), "params", whole, "Howard")
    yield ("MobileNet v1", "Table 9 AlexNet (quoted)", "mult-adds"), (("alexnet",), "macs", whole, "Howard")
    yield ("ShuffleNet v1", "VGG-16 (quoted, Table 6)", "MFLOPs"), (("vgg16",), "macs", whole, "Zhang, Zhou")


PLACES = dict(places())


def stack(*kernels):
    """Convolutions one behind the other, on maps of 64 channels throughout."""
    layers = [Conv2d(64, kernel, padding=kernel // 2, bias=False) for kernel in kernels]
    return calculate(Sequential(*layers), (64, 32, 32))


def auxiliary_head():
    _, (conv, fc1, dropout, fc2) = rows("googlenet", "aux1.conv.conv", "aux1.fc1", "aux1.dropout", "aux1.fc2")
    return (
        f"{conv.settings['kernel_size']}x1 conv {conv.output_shape[0]} -> fc {fc1.output_shape[0]} -> "
        f"dropout {dropout.settings['p']:.0%} -> linear {fc2.output_shape[0]}; loss weight 0.3"
    )


def layer_counts():
    """Layers with parameters on the longest way, with pooling; the paper's "about 100" is of no stated kind."""
    report = summary("googlenet")
    main = [row for row in report.rows if not row.aux]
    pools = [row for row in main if "Pool" in row.kind and "." not in row.path]
    pieces = [row for row in main if row.kind not in ("ReLU", "Flatten", "Dropout")]
    assert 80 <= len(pieces) <= 110
    return [report.totals["depth"], report.totals["depth"] + len(pools), 100]


def shortcut_options():
    def shortcuts(option):
        report = summary("resnet34", shortcut=option)
        kinds = {}
        for row in report.rows:
            if ".downsample." in row.path:
                kinds.setdefault(row.path.split(".downsample")[0], []).append(row)
        return kinds

    changing = {"layer2.0", "layer3.0", "layer4.0"}
    assert set(shortcuts("A")) == changing == set(shortcuts("B"))
    assert sum(row.params for inside in shortcuts("A").values() for row in inside) == 0
    assert {inside[-1].kind for inside in shortcuts("A").values()} == {"PadChannels"}
    assert len(shortcuts("C")) == sum(calculated("resnet34", "blocks", "layer1", "layer2", "layer3", "layer4"))
    for option in "BC":
        assert all(inside[0].kind == "Conv2d" for inside in shortcuts(option).values())
    return (
        "A: identity + zero padding, no parameters; B: projection only where dimensions change; "
        "C: projection on every shortcut"
    )


def proposals():
    """Faster R-CNN's sliding window: one more 3x3 on the maps of conv5_3."""
    trunk = get_builder("vgg16").describe().features[:30]
    return calculate(Sequential(trunk, Conv2d(512, 3, padding=1)), (3, 224, 224)).rows[-1].receptive_field


CALCULATED = {
    ("LeNet-5", "S2/S4", "subsampling unit"): lambda: calculated("lenet5", "params", "s2") // 6,
    ("LeNet-5", "C3 (common misreading)", "trainable parameters if fully connected"): lambda: calculated(
        "lenet5_modern", "params", "conv2"
    ),
    **{
        ("AlexNet", layer, "parameters (weights+biases, two-GPU model)"): lambda layer=layer: calculated(
            "alexnet", "params", layer
        )
        for layer in ALEXNET_LAYERS
    },
    **{
        ("AlexNet", layer, "output shape, 227 input (or 224 with pad 2)"): lambda layer=layer: calculated(
            "caffenet", "output_shape", layer
        )
        for layer in (*ALEXNET_LAYERS[:5], "pool1", "pool2", "pool5")
    },
    ("AlexNet", "two-GPU model / BVLC AlexNet", "parameters"): lambda: calculated("alexnet", "params"),
    ("AlexNet", "two-GPU model", "MACs (conv+fc, 227 input)"): lambda: calculated("caffenet", "macs"),
    ("VGG", "three 3x3, C channels", "weights"): lambda: stack(3, 3, 3).total_params / 64**2,
    ("VGG", "one 7x7, C channels", "weights"): lambda: stack(7).total_params / 64**2,
    ("VGG", "7x7 vs three 3x3", "extra parameters"): lambda: (
        100 * (stack(7).total_params / stack(3, 3, 3).total_params - 1)
    ),
    ("VGG", "two 3x3 / three 3x3", "effective receptive field"): lambda: [
        stack(3, 3).receptive_field,
        stack(3, 3, 3).receptive_field,
    ],
    ("GoogLeNet", "aux head", "structure"): auxiliary_head,
    ("GoogLeNet", "whole net", "layers with parameters / counting pooling / building blocks"): layer_counts,
    ("GoogLeNet", "whole net", "sum of printed params column"): lambda: sum(
        float(one.printed) for one in published.figures("googlenet") if one.quantity == "weights"
    ),
    ("ResNet", "shortcut options", "A / B / C"): shortcut_options,
    # This fact's `exact` is of the figures as printed: 3.6 and 19.6. The true quotient truncates to 18 %.
    ("ResNet-34 vs VGG-19", "Sec. 3.3", "ratio"): lambda: (
        100 * printed(figure("plain34", "macs")) / printed(figure("vgg19", "macs"))
    ),
    **{
        (f"DenseNet-{depth}", "dense block outputs", "shapes (c,h,w)"): lambda depth=depth: [
            list(calculated(f"densenet{depth}", "output_shape", f"features.denseblock{number}"))
            for number in range(1, 5)
        ]
        for depth in (121, 161, 169, 201)
    },
    ("RPN", "VGG-16", "effective receptive field of the 3x3 sliding window"): proposals,
}
"""What no publication prints of a registered network: (arch, config, quantity) -> the calculation."""

AGREEMENTS = {"exact": {"exact"}, "rounds": {"exact", "rounds"}, "truncates": {"truncates"}}
"""What a fact's agreement, by its first word, may be called here; any other word is a difference."""


def key(fact):
    return fact["arch"], fact["config"], fact["quantity"]


def listed(value):
    return [listed(one) for one in value] if isinstance(value, tuple) else value


def printed(figure):
    return listed(figure.printed) if isinstance(figure.printed, tuple) else float(figure.printed.replace(",", ""))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: "-".join(key(fact)))
def test_fact_comes_out(fact):
    if key(fact) in CALCULATED:
        exact, found = fact.get("exact", fact["value"]), listed(CALCULATED[key(fact)]())
        assert found == (pytest.approx(exact, rel=1e-12) if isinstance(exact, float) else exact)
        return
    names, quantity, paths, source = PLACES[key(fact)]
    for name in names:
        found = figure(name, quantity, paths, source, fact.get("unit"))
        assert printed(found) == fact["value"]
        counted = found._replace(called="", because=())
        if "exact" in fact and listed(counted.exact) != fact["exact"]:
            counted = found.read
            assert listed(counted.exact) == fact["exact"]
        expected = fact.get("agreement", "exact").split()[0].rstrip(":")
        assert counted.agreement in AGREEMENTS.get(expected, {"differs"})


def test_no_two_facts_are_one():
    assert len({key(fact) for fact in FACTS}) == len(FACTS)


def test_every_fact_of_a_family_has_one_place():
    assert not set(PLACES) & set(CALCULATED)
    assert {key(fact) for fact in FACTS} <= set(PLACES) | set(CALCULATED)
    assert set(CALCULATED) <= {key(fact) for fact in FACTS}


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


def test_an_explanation_that_is_not_true_explains_nothing():
    (one,) = (one for one in published.figures("vgg16") if one.printed == "15.3")
    assert (one.verdict, one.explanation) == (
        "explained",
        "as multiply-adds, without the fully connected layers: 15,346,630,656 rounds to it",
    )
    for other in ((("without", ("classifier",)),), (("settings", (("input_size", (3, 225, 225)),)),), (("digits", 3),)):
        assert one._replace(because=other).verdict == "disagrees"


def test_figures_are_all_different():
    assert len(set(EVERY_FIGURE)) == len(EVERY_FIGURE)
    assert len({figure[:2] + figure[3:5] + figure[8:11] for figure in EVERY_FIGURE}) == len(EVERY_FIGURE)


def test_every_figure_of_a_file_is_of_a_registered_network():
    for file in Path(published.__file__).parent.glob("*.json"):
        variants, figures = published._family(file.stem)
        assert {figure.model for figure in figures} | {*variants, *variants.values()} <= set(list_models())


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
    column = CALCULATED["GoogLeNet", "whole net", "sum of printed params column"]()
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
        "24,908": with_statistics(summary("tiny_ds_cnn")),
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
