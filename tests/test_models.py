"""Invariants of every registered network, and the register itself."""

import copy
import inspect
import json
import pickle
import re
from importlib import import_module
from itertools import combinations
from math import prod
from pathlib import Path

import pytest
from command import loaded
from small import takes_classes

import cnnzoo.models
import cnnzoo.registry
from cnnzoo.arch import Linear, Sequential, ShapeError
from cnnzoo.arch.edit import walk
from cnnzoo.calculate import calculate
from cnnzoo.errors import CnnzooError
from cnnzoo.features.summary import summary
from cnnzoo.models import densenet121
from cnnzoo.models.variant import variant
from cnnzoo.registry import Paper, Pinned, UnknownModelError, register
from cnnzoo.zoo import get_builder, list_models, natural

NAMES = list_models()
TORCHVISION = json.loads((Path(__file__).parent / "data" / "networks.json").read_text())
OURS = {"alexnet": "alexnet_tv", "googlenet_aux": "googlenet_tv"}
"""Our name of torchvision's network where it is another."""

each = pytest.mark.parametrize("name", NAMES)

CLASSIFIERS = [name for name in NAMES if takes_classes(name)]
of_classes = pytest.mark.parametrize("name", CLASSIFIERS)


@pytest.mark.every
@each
def test_figures_come_out(name):
    builder, report = get_builder(name), summary(name)
    pinned = builder.pinned
    assert report.total_params == pinned.params
    assert report.total_macs == pinned.macs
    assert report.receptive_field == pinned.receptive_field
    assert report.totals["aux_params"] == pinned.aux_params
    assert {path: report[path].output_shape for path in pinned.stages} == pinned.stages
    assert pinned.stages, "the paper's table has stages"


@pytest.mark.every
@each
def test_is_documented(name):
    builder = get_builder(name)
    paper = builder.paper
    assert builder.__doc__
    assert paper.title
    assert paper.authors
    assert 1998 <= paper.year <= 2030
    assert re.fullmatch(r"arXiv:\d{4}\.\d{4,5}|doi:10\..+|https://.+", paper.link)
    assert str(paper.year) in paper.citation
    assert paper.link in paper.citation
    assert summary(name).paper == paper.citation


@pytest.mark.every
@each
def test_state_dict_names_are_unique(name):
    report = summary(name)
    once = [row for row in report.rows if row.call == 1]
    names = [f"{row.path}.{tensor}" for row in once for tensor in (*row.tensors, *row.buffer_tensors)]
    assert len(names) == len(set(names)) == len(report.tensors)


@of_classes
def test_num_classes_changes_the_head_alone(name):
    before, after = summary(name), summary(name, num_classes=37)
    changed = {
        ours.path for ours, theirs in zip(before.rows, after.rows, strict=True) if ours.tensors != theirs.tensors
    }
    classes = before.rows[-1].output_shape[0]
    heads = [row for row in before.rows if row.path in changed]
    assert {row.output_shape[0] for row in heads} <= {classes}
    for row in heads:
        theirs = {own: tuple(37 if n == classes else n for n in shape) for own, shape in row.tensors.items()}
        assert after[row.path].tensors == theirs
    assert len(before.rows) == len(after.rows)
    assert after.rows[-1].output_shape == (37, *before.rows[-1].output_shape[1:])


@pytest.mark.wide
@each
@pytest.mark.parametrize(
    "size",
    [(1, 224, 224), (4, 256, 256), (3, 299, 299), (3, 320, 256), (3, 96, 96), (1, 32, 32), (1, 28, 28), (3, 8, 8)],
)
def test_other_input_sizes_work_or_name_the_layer(name, size):
    builder = get_builder(name)
    try:
        report, place = summary(name, size), None
    except ShapeError as error:
        report, place = None, error.place
    if report is None:
        assert place in {path for path, _ in walk(builder.describe())}
        return
    assert report.input_size == report.rows[0].input_shape == size
    assert min(length for row in report.rows for length in row.output_shape) > 0
    pooled = any(row.kind == "AdaptiveAvgPool2d" for row in report.rows)
    if size[0] == builder.input_size[0] and pooled:
        assert report.total_params == builder.pinned.params


@each
def test_other_channels_change_the_first_layer_alone(name):
    size = get_builder(name).input_size
    before, after = summary(name), summary(name, (size[0] + 1, *size[1:]))
    padded = {row.output_shape for row in before.rows if row.kind.endswith("Pad2d") and row.input_shape == size}
    first = [row for row in before.rows if row.tensors and row.input_shape in {size, *padded}]
    more = {ours.path: theirs.params - ours.params for ours, theirs in zip(before.rows, after.rows, strict=True)}
    one = {row.path: prod(row.tensors["weight"]) // size[0] for row in first}
    assert {path: count for path, count in more.items() if count} == one


@pytest.mark.parametrize(
    ("name", "least", "place"),
    [
        ("googlenet", 47, "aux1.pool"),
        ("vgg16", 32, "features.30"),
        ("alexnet", 35, "pool5"),
        ("lenet5", 32, "c5"),
        ("densenet121", 29, "features.transition3.pool"),
    ],
)
def test_least_input(name, least, place):
    summary(name, least)
    below = re.findall(r"below (\d+) pixels", get_builder(name).__doc__)
    assert below in ([], [str(least)])
    with pytest.raises(ShapeError, match=f"^at {place}: "):
        summary(name, least - 1)


def test_caffenet_on_inputs_of_224():
    """Caffe's pooling rounds up."""
    report = summary("caffenet", 224)
    assert (report.total_params, report.total_macs) == (60_965_224, 720_608_384)
    assert report["pool5"].output_shape == (256, 6, 6)


@pytest.mark.parametrize("name", ["alexnet", "caffenet", "googlenet", "googlenet_tv"])
def test_pooling_rounds_up_where_the_authors_framework_does(name):
    for side in (224, 227, 240, 255, 289):
        rows = [row for row in summary(name, side).rows if row.kind in ("MaxPool2d", "AvgPool2d")]
        for row in rows:
            kernel, stride, padding = (row.settings[key] for key in ("kernel_size", "stride", "padding"))
            sides = [-((kernel - 2 * padding - length) // stride) + 1 for length in row.input_shape[1:]]
            assert row.output_shape[1:] == tuple(sides), (side, row.path)


@pytest.mark.parametrize("theirs", TORCHVISION)
def test_equals_torchvision(theirs):
    known = TORCHVISION[theirs]
    report = summary(OURS.get(theirs, theirs), tuple(known["input"]))
    state = {name: tuple(shape) for name, shape in known["state"].items()}
    assert list(report.tensors.items()) == list(state.items())
    assert report.total_params + report.totals["aux_params"] == known["params"]
    assert report.total_macs == known["macs"]
    buffers = [f"{row.path}.{name}" for row in report.rows for name in row.buffer_tensors]
    assert buffers == known["buffers"]


DEPTHS = {
    "alexnet": 8,
    "alexnet_tv": 8,
    "caffenet": 8,
    "googlenet": 22,
    "googlenet_tv": 22,
    "lenet5": 7,
    "lenet5_modern": 5,
}
"""Weighted layers of networks that the paper counts and the name does not say."""


@pytest.mark.every
@each
def test_depth_is_the_number_in_the_name(name):
    """Or what the docstring says that it is instead: densenet264 has 2 (6 + 12 + 64 + 48) + 3 + 2."""
    stated = re.fullmatch(r"(?:vgg|(?:wide_)?resnet|resnext|plain|densenet)(\d+).*", name)
    depth = summary(name).totals["depth"]
    if stated and depth != int(stated[1]):
        assert re.search(rf"\b{depth} layers deep|weighted layers are {depth}\b", get_builder(name).__doc__)
    else:
        assert depth == DEPTHS.get(name, depth)


RESNETS = list_models("resnet*", module="resnet")


def shortcuts(report):
    """Rows of the shortcuts' own paths, by block."""
    found = {}
    for row in report.rows:
        block, inside, _ = row.path.partition(".downsample.")
        if inside:
            found.setdefault(block, []).append(row)
    return found


@pytest.mark.parametrize("name", RESNETS)
def test_shortcut_options(name):
    reports = {option: summary(name, shortcut=option) for option in "ABC"}
    blocks = [block for block in reports["B"].blocks if block.kind == "Residual"]
    body = reports["A"].total_params
    for option, report in reports.items():
        widths = [
            (block.input_shape[0], block.output_shape[0])
            for block in blocks
            if option == "C" or (option == "B" and block.input_shape != block.output_shape)
        ]
        # a 1x1 convolution without bias, and batch normalisation's scale and shift
        assert report.total_params == body + sum(out * into + 2 * out for into, out in widths)
        assert report.totals["depth"] == int(re.search(r"\d+", name)[0])
    changing = {block.path for block in blocks if block.input_shape != block.output_shape}
    assert set(shortcuts(reports["A"])) == set(shortcuts(reports["B"])) == changing
    assert sum(row.params for inside in shortcuts(reports["A"]).values() for row in inside) == 0
    assert sum(row.macs for inside in shortcuts(reports["A"]).values() for row in inside) == 0
    assert set(shortcuts(reports["C"])) == {block.path for block in blocks}


def test_shortcut_option_that_is_none():
    with pytest.raises(ValueError, match=r"shortcut must be 'A', 'B' or 'C' .*, got 'E'"):
        summary("resnet18", shortcut="E")


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_v1_differs_in_where_the_stride_is(depth):
    current, first = summary(f"resnet{depth}"), summary(f"resnet{depth}_v1")
    assert current.tensors == first.tensors
    assert current.total_macs > first.total_macs
    strides = {
        report.model: [report[f"layer2.0.{conv}"].settings["stride"] for conv in ("conv1", "conv2", "conv3")]
        for report in (current, first)
    }
    assert strides == {f"resnet{depth}": [1, 2, 1], f"resnet{depth}_v1": [2, 1, 1]}


@pytest.mark.parametrize("plain", list_models("plain*"))
def test_plain_net_is_the_residual_one_without_shortcuts(plain):
    plain, residual = summary(plain), summary(plain.replace("plain", "resnet"), shortcut="A")
    assert plain.tensors == residual.tensors
    assert plain.total_macs == residual.total_macs
    assert not any(row.kind == "add" for row in plain.rows)


# Every number of a builder's docstring, derived again


def figures_of_family(name):
    """Counts, MACs and pixels that the docstring of a builder may speak of."""
    module = get_builder(name).__module__
    named = re.findall(r"`([\w+]+)`", get_builder(name).__doc__)
    family = [other for other in NAMES if get_builder(other).__module__ == module or other in named]
    reports = [summary(other) for other in (*family, *(other for other in named if "+" in other))]
    if module == "cnnzoo.models.resnet":
        reports += [summary(other, shortcut=option) for other in ("resnet18", "resnet34") for option in "AC"]
    if "mobilenet_v1" in module:
        reports.append(summary("mobilenet_v1", shallow=True))
    params = {report.total_params for report in reports}
    counts = params | {abs(one - other) for one, other in combinations(params, 2)}
    for report in reports:
        counts |= {report.totals["aux_params"], report.totals["aux_params"] + report.total_params}
        counts |= {report.totals["connections"]} | {row.params for row in report.rows}
        # with the running statistics, as Keras counts, whose batch normalisation does not count batches
        norms = [row for row in report.rows if row.kind in ("BatchNorm1d", "BatchNorm2d")]
        counts.add(report.total_params + sum(row.buffers - 1 for row in norms))
        counts.add(sum(row.multiplications // 3 for row in report.rows if row.kind == "LocalResponseNorm"))
    macs = {report.total_macs for report in reports}
    if name == "alexnet":
        whole = ungrouped(get_builder(name).describe())
        counts.add(whole.total_params)
        macs.add(whole.total_macs)
    if name == "vgg16":
        macs.add(summary(name)["features"].macs)
    return counts, macs, {report.receptive_field for report in reports}


def ungrouped(description):
    from dataclasses import replace

    from cnnzoo.arch import Conv2d
    from cnnzoo.arch.edit import rewrite
    from cnnzoo.calculate import calculate

    changed = rewrite(description, lambda path, node: replace(node, groups=1) if isinstance(node, Conv2d) else node)
    return calculate(changed, (3, 224, 224))


@pytest.mark.every
@each
def test_docstring_is_right(name):
    text = " ".join(get_builder(name).__doc__.split())
    counts, macs, pixels = figures_of_family(name)
    stated = [int(number.replace(",", "")) for number in re.findall(r"\b\d{1,3}(?:,\d{3})+\b", text)]
    assert set(stated) <= counts
    own = summary(name).total_params
    # it says first how many parameters it has, or how many more or fewer than another
    assert stated[0] in {own} | {abs(own - get_builder(other).pinned.params) for other in NAMES}
    assert re.findall(r"(\d+\.\d{3}) G MACs", text)[:1] in ([], [f"{summary(name).total_macs / 1e9:.3f}"])
    giga = re.findall(r"\b(\d+\.\d{3}) G\b", text)
    assert set(giga) <= {f"{count / 1e9:.3f}" for count in macs}
    assert {int(number) for number in re.findall(r"(\d+) pixels seen", text)} <= pixels
    assert {int(number) for number in re.findall(r"sees (\d+) pixels", text)} <= pixels
    for one, other in re.findall(r"(\d+) pixels (?:seen )?for (?:its|the) (\d+)", text):
        assert {int(one), int(other)} <= pixels
        assert int(one) == summary(name).receptive_field or int(other) == summary(name).receptive_field


# The register


def test_natural_order():
    assert list_models("resnet*_v1") == ["resnet50_v1", "resnet101_v1", "resnet152_v1"]
    assert sorted(["a10", "a9", "b", "a", "a9_x"], key=natural) == ["a", "a9", "a9_x", "a10", "b"]
    assert sorted(NAMES, key=natural) == NAMES


def test_patterns():
    assert list_models("vgg1?") == ["vgg11", "vgg13", "vgg16", "vgg19"]
    assert list_models(["plain?[48]", "lenet5_m*"]) == ["lenet5_modern", "plain18", "plain34", "plain44"]
    assert list_models("vgg1*", exclude="*_bn") == ["vgg11", "vgg11_lrn", "vgg13", "vgg16", "vgg16c", "vgg19"]
    assert list_models("vgg16*", exclude=["*_bn", "*c"]) == ["vgg16"]
    assert list_models("nothing*") == []
    assert list_models() == list_models("*")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ResNet-50", "resnet50"),
        ("resnet51", "resnet50"),
        ("vgg-16", "vgg16"),
        ("VGG16", "vgg16"),
        ("densenet_121", "densenet121"),
        ("google_net", "googlenet"),
        ("LeNet-5", "lenet5"),
        ("alexnett", "alexnet"),
    ],
)
def test_did_you_mean(name, meant):
    with pytest.raises(UnknownModelError, match=f"unknown model '{name}'; did you mean .*\\b{meant}\\b"):
        get_builder(name)
    with pytest.raises(UnknownModelError):
        summary(name)


def test_unknown_name_like_no_other():
    with pytest.raises(UnknownModelError, match="unknown model 'zzz'; `cnnzoo list` lists all"):
        get_builder("zzz")


MODELS = Path(cnnzoo.models.__file__).parent


def test_every_network_is_in_the_index_and_imported_from_its_family():
    """A network is a line of `models/__init__.pyi`, in which type checkers read the same."""
    listed = (MODELS / "__init__.pyi").read_text().splitlines()[2:]
    families = (import_module(f"cnnzoo.models.{path.stem}") for path in sorted(MODELS.glob("[!_]*.py")))
    held = [
        f"from .{family.__name__.rpartition('.')[2]} import {name} as {name}"
        for family in families
        for name, value in sorted(vars(family).items(), key=lambda one: natural(one[0]))
        if isinstance(value, cnnzoo.registry.Builder) and value.__module__ == family.__name__
    ]
    assert listed == held


def test_of_a_name_its_family_alone_is_imported():
    for statement in ("cnnzoo.summary('vgg16')", "cnnzoo.models.vgg16", "from cnnzoo.models import vgg16"):
        modules = {name for name in loaded(f"import cnnzoo; {statement}") if name.startswith("cnnzoo.models.")}
        assert modules == {f"cnnzoo.models.{name}" for name in ("vgg", "stages", "variant")}
    for statement in ("cnnzoo.list_models()", "cnnzoo.is_model('vgg16')", "cnnzoo.models.__all__"):
        assert not [name for name in loaded(f"import cnnzoo; {statement}") if name.startswith("cnnzoo.models.")]


def test_a_network_of_the_name_of_its_family_is_found_before_it():
    """However the family came to be imported."""
    for statement in ("import cnnzoo.models.alexnet", "from cnnzoo.models.alexnet import PAPER", "import cnnzoo"):
        loaded(f"{statement}; import cnnzoo; assert cnnzoo.models.alexnet.name == 'alexnet'")
        loaded(f"{statement}; from cnnzoo.models import alexnet; assert alexnet.name == 'alexnet'")
    loaded("import cnnzoo; assert cnnzoo.models.resnet.__name__ == 'cnnzoo.models.resnet'")


def test_a_name_that_the_package_lacks():
    assert {*NAMES} <= {*dir(cnnzoo.models)}
    with pytest.raises(AttributeError, match=r"module 'cnnzoo\.models' has no attribute 'resnet51'; did you mean"):
        _ = cnnzoo.models.resnet51
    with pytest.raises(ImportError, match="resnet51"):
        from cnnzoo.models import resnet51  # noqa: F401


def test_a_network_of_ours_keeps_its_name(empty_register):
    """Whether it has been imported or not."""

    def vgg16(num_classes: int = 10) -> Sequential:
        return Sequential(Linear(num_classes))

    with pytest.raises(ValueError, match=r"'vgg16' is already registered by cnnzoo\.models\.vgg; test_models must"):
        register(paper=Paper("Title", "Nobody", 2000), pinned=Pinned(1, 1, 1))(vgg16)


@pytest.fixture
def empty_register(monkeypatch):
    monkeypatch.setattr(cnnzoo.registry, "BUILDERS", {})


def test_duplicate_names_both_modules(empty_register):
    about = {
        "paper": Paper("Title", "Nobody", 2000, arxiv="0001.00001"),
        "pinned": Pinned(1, 1, 1),
        "input_size": (4,),
    }

    def tiny(num_classes: int = 10) -> Sequential:
        """A classifier of four numbers."""
        return Sequential(Linear(num_classes))

    tiny.__module__ = "first.models"
    builder = register(**about)(tiny)
    assert list_models("tiny") == ["tiny"]
    assert builder.describe(3) == Sequential(Linear(3))
    assert builder.report().total_params == 50
    tiny.__module__ = "second.models"
    with pytest.raises(ValueError, match=r"'tiny' is already registered by first\.models; second\.models must"):
        register(**about)(tiny)


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "classes" not in inspect.signature(get_builder(name)).parameters]
)
def test_unknown_setting_is_a_type_error(name):
    with pytest.raises(TypeError, match=rf"{name}\(\) .*keyword.* 'classes'; did you mean num_classes\?"):
        summary(name, classes=10)


@pytest.mark.wide
@each
def test_settings_that_cannot_be_are_errors_for_the_user(name):
    """Every keyword is given what it cannot take: each is an error of ours or makes a network."""
    builder = get_builder(name)
    odd = [0, -1, 1.5, -0.5, float("nan"), float("inf"), "x", "", None, (), (0,), (1, 2, 3), [1], True, {}, 10**6]
    for keyword in inspect.signature(builder).parameters:
        for value in odd:
            try:
                calculate(builder.describe(**{keyword: value}), builder.input_size)
            except CnnzooError:
                continue


@of_classes
@pytest.mark.parametrize("count", [0, -1, 2.5, "10", True])
def test_impossible_class_counts(name, count):
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        get_builder(name).describe(num_classes=count)


@of_classes
@pytest.mark.parametrize("count", [None, [10]])
def test_a_class_count_that_is_no_number(name, count):
    with pytest.raises(TypeError, match="takes num_classes as a number"):
        get_builder(name).describe(num_classes=count)


@pytest.mark.parametrize("name", sorted({*NAMES} - {*CLASSIFIERS}))
def test_a_network_without_classes_takes_no_number_of_them(name):
    taken = [*inspect.signature(get_builder(name)).parameters]
    with pytest.raises(TypeError, match=rf"takes no keyword 'num_classes'; it takes {', '.join(taken)}"):
        summary(name, num_classes=10)


@each
def test_builders_are_copied_and_pickled_as_functions_are(name):
    builder = get_builder(name)
    for other in (copy.copy(builder), copy.deepcopy(builder), pickle.loads(pickle.dumps(builder))):
        assert other is builder


@each
def test_builders_look_like_functions(name):
    builder = get_builder(name)
    assert builder.name == builder.__name__ == builder.__qualname__ == name
    assert builder.__wrapped__.__code__.co_name == name, "tracebacks name it"
    assert "num_classes" not in [*inspect.signature(builder.__wrapped__).parameters][1:], "it is the first"
    assert repr(builder) == f"<cnnzoo builder {name}: {builder.paper.citation}>"
    assert builder.describe() is builder.describe()


def test_a_variant_is_its_builder_with_other_defaults(empty_register):
    figures = {"params": 1, "macs": 1, "receptive_field": 1}

    @variant(densenet121, depth=(1, 1, 1, 1), **figures)
    def tiny() -> None:
        """One layer a block."""

    assert tiny.describe() == densenet121.describe(depth=(1, 1, 1, 1)) != densenet121.describe()
    assert tiny.describe(10, growth=8) == densenet121.describe(10, 0.0, 8, (1, 1, 1, 1))
    assert tiny.pinned == Pinned(**figures, stages=densenet121.pinned.stages)
    assert inspect.getdoc(tiny) == "One layer a block."
    with pytest.raises(TypeError, match=r"densenet121\(\) takes no keyword 'block'"):
        variant(densenet121, block=3, **figures)
    with pytest.raises(TypeError, match=r"tiny\(\) takes from 0 to 4 positional arguments but 5 were given"):
        tiny.describe(1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"paper": None}, "takes paper as a Paper, got None"),
        ({"paper": "a book"}, "takes paper as a Paper, got 'a book'"),
        ({"pinned": {"params": 1}}, "takes pinned as a Pinned"),
        ({"pinned": None}, "takes pinned as a Pinned, got None"),
        ({"knobs": ["width"]}, "takes knobs as a Mapping"),
    ],
)
def test_what_is_registered_with_a_value_of_another_type_is_refused_at_once(empty_register, wrong, said):
    right = {"paper": Paper("Title", "Nobody", 2000), "pinned": Pinned(1, 1, 1)}
    with pytest.raises(TypeError, match=said):
        register(**right | wrong)


def test_the_old_name_of_what_pins_a_network_works_with_a_warning(empty_register):
    def tiny(num_classes: int = 10) -> Sequential:
        return Sequential(Linear(num_classes))

    with pytest.warns(DeprecationWarning, match=r"pinned=Pinned\(…\)") as warned:
        builder = register(paper=Paper("Title", "Nobody", 2000), figures=cnnzoo.Figures(50, 40, 1), input_size=(4,))(
            tiny
        )
    assert warned[0].filename == __file__
    assert builder.pinned == Pinned(50, 40, 1)


@pytest.mark.parametrize("fields", [(5, "Nobody", 2000), ("Title", ["Nobody"], 2000), ("Title", "Nobody", "2000")])
def test_a_paper_of_another_type_is_refused(fields):
    with pytest.raises(TypeError, match="a title, its authors and a year, got"):
        Paper(*fields)
