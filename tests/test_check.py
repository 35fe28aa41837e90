"""What is calculated equals what is measured: every registered network, and any description."""

import dataclasses
from collections.abc import Iterator

import pytest
from command import call
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import networks

import cnnzoo
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    Aux,
    Concat,
    Conv2d,
    Dense,
    Flatten,
    From,
    Layer,
    Linear,
    MaxPool2d,
    Node,
    ReLU,
    Residual,
    Sequential,
    Unused,
    layer,
    replace,
    walk,
)
from cnnzoo.features import check as feature
from cnnzoo.features.check import Agreement, check, disagreements, sizes_for
from cnnzoo.pytorch.measuring.measure import MeasureError
from cnnzoo.zoo import get_builder, list_models

SIZE = (3, 9, 7)


def check_network(name: str, input_size: tuple[int, ...] | None = None, batch_size: int = 1) -> Agreement:
    builder = get_builder(name)
    return check(builder.describe(), input_size or builder.input_size, batch_size, name)


@pytest.mark.wide
@pytest.mark.every
@pytest.mark.parametrize("name", list_models())
def test_every_network_agrees(name):
    result = check_network(name, batch_size=2)
    assert result.agrees, result.differences[:5]
    assert result.figures > 13 * result.rows


@pytest.mark.long
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", list_models())
def test_every_network_agrees_at_three_sizes(name, batch):
    builder = get_builder(name)
    sizes = sizes_for(builder.describe(), builder.input_size)
    assert len(set(sizes)) == 3
    for size in sizes:
        result = check_network(name, size, batch)
        assert result.agrees, result.differences[:5]


def _is_nested_or_in_a_head(description: Node) -> Iterator[bool]:
    """Of tensors that nothing reads, whether they are of modules in a module or of a head: the measurer has a row for
    each such module, and does not see what runs in training with them."""
    for _, node in walk(description):
        if isinstance(node, Unused):
            yield any("." in name for name, _ in (*node.parameters, *node.buffer_tensors))
        if isinstance(node, Aux):
            yield any(isinstance(inner, Unused) for _, inner in walk(node))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@settings(max_examples=5 * settings().max_examples)  # 500; 10,000 in the long profile
@given(networks(SIZE, heads=1, steps=True), st.integers(1, 3))
def test_every_description_agrees(description, batch):
    assume(not any(_is_nested_or_in_a_head(description)))
    single = "more than one value of each channel"  # of which a batch norm without running statistics takes no mean
    try:
        result = check(description, SIZE, batch)
    except MeasureError as error:
        assume(single not in str(error))
        raise
    assume(single not in str(result.problem))
    assert result.agrees, [str(one) for one in result.differences[:5]]


NETWORK = Sequential(
    conv=Conv2d(6, 3, padding=1, groups=3),
    block=Residual(conv=Conv2d(6, 1), relu=ReLU()),
    dense=Dense(conv=Conv2d(2, 3, padding=1)),
    both=Concat(a=Conv2d(2, 1), b=Conv2d(2, 1, bias=False)),
    pool=AdaptiveAvgPool2d(1),
    flatten=Flatten(),
    fc=Linear(3),
)


@pytest.mark.parametrize(
    ("path", "other", "said"),
    [
        ("conv", Conv2d(6, 3, padding=1), "conv: macs is"),
        ("conv", Conv2d(6, 3, padding=2, dilation=2, groups=3), "conv: dilation is 1 calculated, 2 measured"),
        ("both.b", Conv2d(2, 1), "both.b: tensors is"),
        ("both.a", Conv2d(4, 1), "both: output_shape is"),
        ("dense.conv", Conv2d(3, 3, padding=1), "dense.conv: output_shape is"),
        ("block.relu", None, "number of rows"),
        ("fc", Linear(4), "total params is"),
        ("pool", AdaptiveAvgPool2d((1, 1)), None),
    ],
)
def test_a_difference_is_found(path, other, said):
    """A measurement of another network than was calculated."""
    from cnnzoo.pytorch.measuring.measure import measure
    from cnnzoo.pytorch.modules.build import build

    module = build(replace(NETWORK, path, other), SIZE, init=None, device="meta")
    found, _ = disagreements(cnnzoo.summary(NETWORK, SIZE), measure(module, SIZE))
    assert (said is None and not found) or any(said in str(one) for one in found), found


def test_a_block_of_several_values_has_the_shape_of_the_one_that_it_reads_first():
    """Its module takes positions by number, and names as it reads them; a network takes them in theirs."""
    block = Sequential(
        coarse=From("input.1", Conv2d(2, 1)),
        fine=From("input.0", Conv2d(2, 3, stride=2, padding=1)),
        out=Add("coarse", "fine"),
    )
    within = Sequential(pool=MaxPool2d(2), block=From("input", "pool", block))
    for description, size in ((within, (3, 8, 6)), (block, ((3, 8, 6), (3, 4, 3)))):
        assert check(description, size).agrees


def test_what_the_measurement_does_not_know_is_no_agreement():
    result = check_network("lenet5")
    assert result.agrees
    assert not result._replace(problem="an operator").agrees


def test_check_says_what_was_compared():
    out = call("check", "lenet5", "plain?8", "plain34", "--sizes", "1").succeeded()
    assert "lenet5: equal; 14 rows" in out
    assert "plain18: equal" in out
    assert "plain34: equal" in out
    assert "3 networks, 6 comparisons" in out
    assert "calculated equals measured" in out


def test_check_fails_where_something_differs(monkeypatch):
    true = feature.calculate

    def wrong(*args, **kwargs):
        report = true(*args, **kwargs)
        rows = [row._replace(macs=row.macs + 1) if row.path == "f6" else row for row in report.rows]
        return dataclasses.replace(report, rows=tuple(rows))

    monkeypatch.setattr(feature, "calculate", wrong)
    result = call("check", "lenet5", "--sizes", "1")
    assert result.code == 1
    assert "lenet5: DIFFERS" in result.out
    assert "f6: macs is 10081 calculated, 10080 measured" in result.out
    assert result.err == "Error: calculated and measured differ for lenet5\n"


def test_check_of_an_unknown_name_is_refused():
    call("check", "lenet6").refused("did you mean lenet5")


def test_what_cannot_be_built_is_a_problem_and_no_error():
    """The calculator prices any layer; a module has what torch or a plugin makes."""

    @layer
    class Unmade(Layer):
        """A layer that nothing makes."""

    try:
        result = check(Sequential(odd=Unmade(), flatten=Flatten()), SIZE)
    finally:
        del Node.kinds["Unmade"]
    assert not result.agrees
    assert "cannot be built: at odd: build knows no module for Unmade" in result.problem
