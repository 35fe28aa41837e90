"""Figures that were collected apart from this package: each is in `cnnzoo/published`, comes out of a calculation here,
or is listed by the reason why it is neither.

`data/facts.json` has, of each publication and architecture: where, what, the value that is printed, its unit, what
somebody else computed, how the two agree ("up": rounded up), and "memory" where nobody has looked the value up.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cnnzoo import published
from cnnzoo.arch import Conv2d, Sequential
from cnnzoo.calculate import calculate
from cnnzoo.features.summary import summary
from cnnzoo.published.quantities import QUANTITIES
from cnnzoo.zoo import list_models


class Fact(NamedTuple):
    paper: str
    arch: str
    config: str
    quantity: str
    value: Any
    unit: str
    exact: Any = None
    agreement: str | None = None
    memory: str = ""

    @property
    def key(self):
        return self.arch, self.config, self.quantity


def frozen(value):
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


FACTS = [
    Fact(paper, arch, *map(frozen, row))
    for paper, archs in json.loads((Path(__file__).parent / "data" / "facts.json").read_text()).items()
    for arch, rows in archs.items()
    for row in rows
]

KINDS = {
    "params": {"params", "weights"},
    "MACs": {"macs"},
    "ops": {"flops"},
    "activations": {"conv_outputs"},
    "neurons": {"neurons"},
    "connections": {"connections"},
    "MB": {"file_bytes"},
    "bytes": {"int8_bytes"},
    "layers": {"depth", "max_poolings"},
    "channels": {"channels"},
    "blocks": {"blocks"},
    "modules": {"blocks"},
    "filters": {"filters"},
    **dict.fromkeys(["shape", "px", "groups", "lists", "values", "%", "x", ""]),
}
"""The last word of a fact's unit: what a figure of it may be of; None is anything."""

CARRIERS = {
    "Krizhevsky": ("torchvision",),
    "He": ("Zagoruyko",),
    "Sandler": ("Google",),
    "Howard": ("Google",),
    "Zhang": ("Megvii",),
    "Ma": ("Megvii",),
    "Lin": ("Springenberg", "Caffe"),
    "YOLO": ("Redmon",),
    "Wang": ("Wu",),
}
"""First authors, with whose page prints figures of theirs, too."""


def first_author(source):
    return source.replace(":", " ").replace(",", " ").replace("/", " ").split()[0]


def printed(figure):
    return figure.printed if isinstance(figure.printed, tuple) else float(figure.printed.replace(",", ""))


FIGURES = {}
"""Figures by what they print, a number or several."""
for name in list_models():
    for one in published.figures(name):
        FIGURES.setdefault(printed(one), []).append(one)


def like(figure, **changes):
    """The figure as what it counts, with other parts counted in or out."""
    return figure._replace(called="", because=(), **changes)


CONVENTIONS = {
    ("shufflenet_g", "params"): {"without": ("last_bias",)},
    ("shufflenet_g", "macs"): {"without": ("classifier",)},
    ("seresnet", "params"): {"with_parts": ("statistics",), "without": ("gate_biases",)},
    ("seresnet", "macs"): {"settings": (("v1", True),), "with_parts": ("shortcuts", "gates")},
    ("tiny_ds_cnn", "params"): {"with_parts": ("statistics",)},
}
"""How somebody else counted, where that is not how it is counted here: by the beginning of names, and quantity."""

OTHERWISE = {
    **{
        fact.key: "fvcore's, which counts layer normalisations and the pooling over the last map, too"
        for fact in FACTS
        if fact.arch.startswith("ConvNeXtV2") and "fvcore" in fact.quantity
    },
    **dict.fromkeys(
        [
            ("ECA-Net50", "README table, k=3557", "parameters (printed over 2^20)"),
            ("ECA-Net152", "README table, k=3357", "parameters (printed over 2^20)"),
            ("ECA-Net101", "README table, k=3357", "FLOPs (printed over 2^30)"),
        ],
        "other kernels than equation 12 gives",
    ),
    ("pre-ResNet-200", "Table 8, ImageNet", "parameters"): "another normalisation in front",
    **dict.fromkeys(
        [
            ("MobileNetV3-Large 0.75", "Table 3, 224", "parameters"),
            ("MobileNetV3-Small 0.75", "Table 3, 224", "MAdds"),
            ("MobileNetV3-Small 0.75", "Table 3, 224", "parameters"),
        ],
        "timm's, which does not multiply the channels behind the pooling",
    ),
}
"""Facts whose count is somebody else's of something else than is counted here, and how it differs."""


def readings(figure):
    """The figure as what it counts, as it is explained, and as somebody else may have counted."""
    yield like(figure)
    yield figure.read
    yield like(figure.read, quantity=figure.quantity)
    for (prefix, quantity), convention in CONVENTIONS.items():
        if figure.model.startswith(prefix) and figure.quantity == quantity and figure.paths == ("",):
            yield like(figure, **convention)


def parts(fact):
    """The quantities and values of which a fact consists: a filter and what it reads, or the maps of three stages."""
    if fact.quantity == "[filter shape, input size]":
        return list(zip([{"filter_shape"}, {"input_height_width_channels"}], fact.value, strict=True))
    if fact.quantity == "stage 2/3/4 output channels":
        return [({"output_shape"}, (maps, side, side)) for maps, side in zip(fact.value, (28, 14, 7), strict=True)]
    kinds = KINDS.get((fact.unit.split() or [""])[-1], ())
    return [(kinds, (int(fact.value),) if fact.unit == "modules" else fact.value)]


def candidates(fact, kinds, value):
    """Figures that print it, of the same publication and kind."""
    value = value if isinstance(value, tuple) else float(value)
    author = first_author(fact.paper)
    return [
        figure
        for figure in FIGURES.get(value, ())
        if first_author(figure.source) in (author, *CARRIERS.get(author, ()))
        and (kinds is None or figure.quantity in kinds)
        and (fact.unit != "%" or figure.unit == "%")
        and (fact.unit != "x" or figure.ratio is not None)
    ]


def same(fact, exact):
    """Whether it is what somebody else computed."""
    if fact.unit == "%":
        return 100 * exact == pytest.approx(fact.exact, rel=1e-12)
    return exact == ((fact.exact,) if fact.unit == "modules" else fact.exact)


ALEXNET_LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")


def rows(name, *paths, **settings):
    report = summary(name, **settings)
    return report, tuple(report[path] for path in paths)


def calculated(name, quantity, *paths, **settings):
    return QUANTITIES[quantity](*rows(name, *(paths or ("",)), **settings))


def figure_of(name, quantity, source):
    (found,) = [
        one
        for one in published.figures(name)
        if (one.quantity, one.paths, one.ratio) == (quantity, ("",), None) and one.source.startswith(source)
    ]
    return printed(found)


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


def weights(*kernels):
    """Of convolutions one behind the other, of as many maps throughout; relative."""
    return sum(height * width for height, width in kernels)


def six_n_plus_two():
    for name, n in {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9, "resnet110": 18}.items():
        assert calculated(name, "depth") == 6 * n + 2
        assert calculated(name, "blocks", "layer1", "layer2", "layer3") == (n, n, n)
    return "6n+2"


def less_than_25():
    report = summary("inception_v3")
    return f"less than {-(-report.total_params // 10**6 // 5) * 5}"


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
        printed(one) for one in published.figures("googlenet") if one.quantity == "weights"
    ),
    ("ResNet", "shortcut options", "A / B / C"): shortcut_options,
    # This fact's `exact` is of the figures as printed: 3.6 and 19.6. The true quotient truncates to 18 %.
    ("ResNet-34 vs VGG-19", "Sec. 3.3", "ratio"): lambda: (
        100 * figure_of("plain34", "macs", "He") / figure_of("vgg19", "macs", "He")
    ),
    **{
        (f"DenseNet-{depth}", "dense block outputs", "shapes (c,h,w)"): lambda depth=depth: [
            list(calculated(f"densenet{depth}", "output_shape", f"features.denseblock{number}"))
            for number in range(1, 5)
        ]
        for depth in (121, 161, 169, 201)
    },
    ("RPN", "ZF / VGG", "intermediate feature dimension"): lambda: [
        calculated(name, "channels", "rpn.conv") for name in ("faster_rcnn_zf", "faster_rcnn_vgg16")
    ],
    ("SPP-net", "same", "bins"): lambda: calculated("sppnet_zf5", "neurons", "regions.spp") // 256,
    ("SPP-net", "1x1,2x2,3x3,4x4 pyramid", "bins"): lambda: (
        calculated("sppnet_zf5", "neurons", "regions.spp", levels=(4, 3, 2, 1)) // 256
    ),
    ("R-CNN", "per image", "feature matrix"): lambda: [
        summary("rcnn_alexnet")["regions.fc7"].regions,
        *calculated("rcnn_alexnet", "output_shape", "regions.fc7"),
    ],
    ("R-CNN", "100k detectors", "memory"): lambda: 100_000 * 4 * calculated("rcnn_alexnet", "neurons", "regions.fc7"),
    ("Inception", "factorisation", "5x5 vs 3x3 cost"): lambda: weights((5, 5)) / weights((3, 3)),
    ("Inception", "factorisation", "5x5 -> two 3x3 saving"): lambda: (
        100 * (1 - weights((3, 3), (3, 3)) / weights((5, 5)))
    ),
    ("Inception", "factorisation", "3x3 -> 3x1+1x3 saving"): lambda: (
        100 * (1 - weights((3, 1), (1, 3)) / weights((3, 3)))
    ),
    ("Inception", "factorisation", "3x3 -> two 2x2 saving"): lambda: (
        100 * (1 - weights((2, 2), (2, 2)) / weights((3, 3)))
    ),
    ("Inception-v3", "whole net", "parameters (prose)"): less_than_25,
    ("ResNet (CIFAR)", "depth rule", "layers"): six_n_plus_two,
    ("U-Net", "input 572", "output size"): lambda: calculated("unet", "output_shape")[1:],
    ("U-Net", "encoder/bottleneck/decoder ends", "map sizes (c,h,w)"): lambda: [
        list(calculated("unet", "output_shape", path))
        for path in ("inc", *(f"{way}{level}" for way in ("down", "up") for level in range(1, 5)))
    ],
}
"""What no publication prints of a registered network: (arch, config, quantity) -> the calculation."""

MEASURED = {"fps", "ms", "s", "1e9 ops/s"}

UNREGISTERED = """
    SSD300; SSD300 (quoted); SSD512;
    RetinaNet; Bilinear-Interpolation; FCN-Basic-NoDimReduction; NASNet-A (6 @ 4032); NASNet-A (4 @ 1056);
    NASNet-A (6 @ 4032) (quoted); PNASNet-5 large (quoted); MNv4-Conv-S; MnasNet-search2; CSPResNet-50; CSPResNeXt-50;
    Darknet reference; Res2Net-DLA-60; Res2NeXt-DLA-60; mcunet-10fps; mcunet-5fps; mcunet-256kB; mcunet-320kB (in3);
    mcunet-512kB; ECA-MobileNet_v2
"""

VARIANTS = """
    WRN-18; WRN-34; RepVGG-B1g2; RepVGG-B1g4; RepVGG-B2g2; RepVGG-B2g4; RepVGG-B3g4; DPN-98; DPN-107; DPN-131;
    EfficientNetV2-B0; EfficientNetV2-B1; EfficientNetV2-B2; EfficientNetV2-B3; Res2NeXt-50; ECA-Net34; MnasNet-A1 0.35;
    MobileNetV3-Large minimalistic; MobileNetV3-Small minimalistic; SE-ResNet-50 SE_3x3
"""

MEMORY = """
    ResNet-18 (baseline); ResNet-34 (baseline); ResNet-50 (baseline); ResNet-101 (baseline);
    WRN-16-4 (quoted as "Wide ResNet 16 with Dropout")
"""

REASONS = {
    **dict.fromkeys(UNREGISTERED.replace("\n   ", "").strip().split("; "), "the network is not registered"),
    **dict.fromkeys(VARIANTS.replace("\n   ", "").strip().split("; "), "it is registered under no such variant"),
    **dict.fromkeys(MEMORY.replace("\n   ", "").strip().split("; "), "from memory, and not found in a text"),
    ("YOLO v1", "Fast YOLO", "conv layers"): "collected twice",
    **dict.fromkeys(
        [
            ("SPP-net", "abstract", "faster than R-CNN"),
            ("SPPnet (quoted)", "section 1.1", "acceleration of R-CNN at test time"),
            ("Fast R-CNN (VGG16)", "abstract", "training speed-up over R-CNN (VGG16)"),
            ("Fast R-CNN (VGG16)", "abstract", "test speed-up over R-CNN (VGG16)"),
            ("Fast R-CNN (VGG16)", "abstract", "test speed-up over SPPnet"),
            ("Fast R-CNN", "section 2.3", 'speed-up of N=2, R=128 over one RoI from each of 128 images, "roughly"'),
        ],
        "a measurement",
    ),
    **dict.fromkeys(
        [
            ("Fast R-CNN (VGG16)", "fc6 25088x4096", "singular values kept"),
            ("Fast R-CNN (VGG16)", "fc7 4096x4096", "singular values kept"),
            ("R-CNN", "section 2", 'region proposals per image, "around 2000"'),
            ("YOLO v1 (quoted)", "README table", "boxes"),
            ("Faster R-CNN VGG-16 (quoted)", "README table, ~1000 x 600", 'boxes, "~6000"'),
            ("RPN", "1000x600 image", "anchors ~60x40x9"),
        ],
        "of no quantity of a report",
    ),
    **dict.fromkeys(
        [
            ("RPN", "MultiBox (quoted)", f"{what} layer{s} parameters")
            for what, s in (("output", ""), ("proposal", "s"))
        ],
        "the network is not registered",
    ),
    ("SegNet", "section 3", "decoder layers"): "the network is not registered",
    ("DenseNet-264", "ImageNet", "parameters (prose/figure)"): "no place is known, and none was found",
    ("BN-Inception", "first convolution", "type"): "words, no figure",
    ("BN-Inception", "vs GoogLeNet", "parameter increase claimed for two 3x3 instead of 5x5"): (
        "of networks that the publication does not give"
    ),
    **dict.fromkeys(
        ["MobileNetV1 0.25 at 96 (visual wake words)", "ResNet-8 (image classification)"],
        "a file with more than weights",
    ),
    "FC-AutoEncoder (anomaly detection)": "a file with more than weights",
}
"""Why no figure has a fact: by architecture, or by fact."""


def reason(fact):
    return "a measurement" if fact.unit in MEASURED else REASONS.get(fact.key) or REASONS.get(fact.arch)


@pytest.fixture(scope="module")
def placed():
    """Facts, each with how the figures that have it agree, as somebody else counted; a figure has one fact."""
    wanted = {
        fact: [candidates(fact, kinds, value) for kinds, value in parts(fact)]
        for fact in sorted(FACTS, key=lambda fact: fact.exact is None)
        if fact.key not in CALCULATED and not isinstance(fact.value, str)
    }
    figures = {figure for lists in wanted.values() for one in lists for figure in one}
    found = {  # network by network, so that each is calculated once
        figure: [(reading.exact, reading.agreement) for reading in readings(figure)]
        for figure in sorted(figures, key=lambda figure: (figure.model, str(figure.settings)))
    }
    taken, results = set(), {}
    for fact, lists in wanted.items():
        free = fact.exact is None or fact.key in OTHERWISE
        agreements = []
        for figures in lists:
            for figure in figures:
                said = {agreement for exact, agreement in found[figure] if free or same(fact, exact)}
                if said and figure not in taken:
                    taken.add(figure)
                    agreements.append(said)
                    break
        if len(agreements) == len(lists):
            results[fact] = agreements
    return results


def test_every_fact_is_placed_or_calculated_or_has_a_reason(placed):
    left = [fact for fact in FACTS if fact not in placed and fact.key not in CALCULATED]
    assert [fact.key for fact in left if not reason(fact)] == []
    assert Counter(map(reason, left)) == {
        "the network is not registered": 40,
        "collected twice": 1,
        "it is registered under no such variant": 35,
        "a measurement": 26,
        "of no quantity of a report": 6,
        "from memory, and not found in a text": 8,
        "a file with more than weights": 3,
        "of networks that the publication does not give": 1,
        "words, no figure": 1,
        "no place is known, and none was found": 1,
    }


def test_reasons_are_of_facts_that_have_no_figure(placed):
    named = {fact.arch for fact in FACTS} | {fact.key for fact in FACTS}
    assert set(REASONS) | set(OTHERWISE) | set(CALCULATED) <= named
    assert {fact.arch for fact in placed} & set(REASONS) == {"WRN-18", "WRN-34"}  # of width 1.0, which are ResNets
    assert not {fact.key for fact in placed} & set(REASONS)


AGREEMENTS = {"exact": {"exact"}, "rounds": {"exact", "rounds"}, "truncates": {"truncates"}}
"""What a fact's agreement may be called here; any other is a difference that is explained, or none."""


def test_facts_agree_as_was_found(placed):
    """Where the same is counted, both sides say the same of it."""
    others = {
        fact.key
        for fact, agreements in placed.items()
        if fact.exact is not None and fact.key not in OTHERWISE
        for said in agreements
        if not said & AGREEMENTS.get(fact.agreement, said)
    }
    assert others == {("Table 2 template", "C=8, d=14", "parameters (~70k)")}  # 71,456: to one digit


@pytest.mark.parametrize("key", CALCULATED, ids="-".join)
def test_what_no_publication_prints_comes_out(key):
    facts = [fact for fact in FACTS if fact.key == key]
    assert facts
    found = frozen(CALCULATED[key]())
    for fact in facts:
        exact = fact.value if fact.exact is None else fact.exact
        assert found == (pytest.approx(exact, rel=1e-12) if isinstance(exact, float) else exact)


def test_no_two_facts_are_one():
    assert len({(fact.paper, *fact.key) for fact in FACTS}) == len(FACTS) == 857
