"""Folding: steps that say what a join says become that join, which has the same figures and the same outputs."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import networks, programs

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    Aux,
    BatchNorm2d,
    Cat,
    Chunk,
    Collect,
    Concat,
    Conv2d,
    Dense,
    Difference,
    From,
    Gate,
    Inline,
    Join,
    Max,
    MaxPool2d,
    Mean,
    Multiply,
    Node,
    Outputs,
    ReLU,
    Residual,
    Run,
    Sequential,
    Shortcut,
    Sigmoid,
    Subtract,
    fold,
    walk,
)
from cnnzoo.arch.edit import rebuilt
from cnnzoo.arch.joins import PLAIN
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build
from cnnzoo.zoo import get_builder, list_models

MEETINGS: dict[type[Join], Any] = {Residual: Add, Gate: Multiply, Dense: Cat, Difference: Subtract}


def unfold(node: Node) -> Node:
    """The description with a Sequential of steps for every other join, names kept."""
    if not isinstance(node, Join):
        return node
    if isinstance(node, Sequential):
        return type(node)(*node._head, **{name: _unfolded(child) for name, child in node._steps()})
    children: dict[str, Any] = {name: unfold(child) for name, child in node.children}
    out = next(name for name in map("met{}".format, count()) if name not in children)
    if isinstance(node, Residual | Gate | Dense | Difference) and node._marked:
        own = {name: child for name, child in children.items() if not node._is_plain(name, child)}
        body = [name for name in own if name != node._marked]
        read = dict(zip(body, ["input", *body], strict=False)) | {node._marked: "input"}
        ends = [(body or ["input"])[-1], node._marked if node._marked in own else "input"]
        met = MEETINGS[type(node)](*(ends if isinstance(node, Residual | Difference) else ends[::-1]))
        return Sequential(**{name: From(read[name], child) for name, child in own.items()}, **{out: met})
    if isinstance(node, Concat):
        branches = {name: From("input", child) for name, child in children.items()}
        return Sequential(**branches, **{out: Cat(*branches)})
    if isinstance(node, Residual):
        names = [*children]
        at = names.index("downsample")
        shortcut = {} if children["downsample"] == PLAIN else {"downsample": From("input", children["downsample"])}
        body = {name: children[name] for name in names[:at]}
        met = Add(names[at - 1] if at else "input", "downsample" if shortcut else "input")
        return Sequential(**body, **shortcut, **{out: met}, **{name: children[name] for name in names[at + 1 :]})
    if isinstance(node, Collect):
        return Sequential(**children, **{out: Cat("input", *children)})
    if isinstance(node, Dense | Gate | Difference):
        ends = ["input", ["input", *children][-1]]
        met = MEETINGS[type(node)](*(ends[::-1] if isinstance(node, Difference) else ends))
        return Sequential(**children, **{out: met})
    return rebuilt(node, children, "")


def _unfolded(child: Node | From) -> Node | From:
    return From(*child.names, unfold(child.node)) if isinstance(child, From) else unfold(child)


def figures(node: Node, shape: Any) -> Any:
    """Its rows and totals but for what joins say otherwise than steps."""
    report = calculate(node, shape)
    own = {"Add": "add", "Cat": "cat", "Multiply": "mul", "Subtract": "sub"}
    left_out = {"path", "kind", "own", "settings", "input_shape", "more_inputs", "gated_field"}
    if any(isinstance(one, Gate | Multiply) for _, one in walk(node)):  # a Gate keeps the field, see below
        left_out |= {"receptive_field", "effective_stride", "effective_padding"}
    rows = []
    for row in report.rows:
        said = {name: value for name, value in row._asdict().items() if name not in left_out}
        said["call"] = row.call if row.kind not in own and not row.own else 1  # a join counts that of its own step not
        path = row.path if row.tensors or row.buffer_tensors else ""
        rows.append((path, own.get(row.kind, row.kind), said))
    totals = {name: value for name, value in report.totals.items() if name not in left_out}
    parts = [row for row in rows if row[1] in ("Chunk", "Slice")]  # which are taken where they are read
    for row in parts:
        rows.remove(row)
        del row[2]["live_bytes"]
    return rows, parts, totals, report.tensors


@pytest.mark.parametrize("name", list_models())
def test_every_registered_network_is_its_own_fold(name: str) -> None:
    description = get_builder(name).describe()
    assert fold(description) == description
    assert fold(unfold(description)) == description


@given(networks((4, 6, 5), heads=1, steps=True))
def test_what_is_unfolded_folds_back(description: Node) -> None:
    folded = fold(description)
    assert fold(folded) == folded
    assert fold(unfold(description)) == folded


SHAPES = st.sampled_from([(4, 6, 5), (1, 4, 3), (3, 1, 1)])


@given(
    SHAPES.flatmap(lambda shape: st.tuples(networks(shape, heads=1, steps=True), st.just(shape)))
    | st.tuples(programs((4, 6, 5)), st.just((4, 6, 5)))
)
def test_a_fold_says_the_same(drawn: tuple[Node, Any]) -> None:
    description, shape = drawn
    for one in (description, unfold(description)):
        says_the_same(fold(one), one, shape)


def says_the_same(folded: Node, description: Node, shape: Any) -> None:
    assert fold(folded) == folded
    assert figures(folded, shape) == figures(description, shape)
    same_outputs(folded, description, shape)


def same_outputs(folded: Node, description: Node, shape: Any) -> None:
    first, second = build(description, shape).eval(), build(folded, shape).eval()
    state = first.state_dict()
    assert [*second.state_dict()] == [*state]
    second.load_state_dict(state)
    x = torch.rand(2, *shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours, theirs = (values if isinstance(values, tuple) else (values,) for values in (second(x), first(x)))
    assert len(ours) == len(theirs)
    assert all(torch.allclose(*pair, rtol=0, atol=0, equal_nan=True) for pair in zip(ours, theirs, strict=True))


SHAPE = (4, 6, 5)
CONV, MEAN, PROJECT = Conv2d(4, 3, padding=1), AdaptiveAvgPool2d(1), Sequential(Conv2d(4, 1), BatchNorm2d())
POOL, LARGE = MaxPool2d(3, 1, padding=1), MaxPool2d(5, 1, padding=2)


@pytest.mark.parametrize(
    ("steps", "folded"),
    [
        pytest.param(
            Sequential(a=CONV, b=ReLU(), add=Add("input", "b"), c=ReLU()),
            Residual(a=CONV, b=ReLU(), downsample=None, c=ReLU()),
            id="what follows a sum is the block's",
        ),
        pytest.param(
            Sequential(a=CONV, b=ReLU(), downsample=From("input", PROJECT), add=Add("downsample", "b"), c=ReLU()),
            Residual(a=CONV, b=ReLU(), downsample=PROJECT, c=ReLU()),
            id="a shortcut with layers",
        ),
        pytest.param(
            Sequential(a=CONV, pool=From("input", POOL), act=ReLU(), add=Add("a", "act")),
            Residual(a=CONV, downsample=Sequential(pool=POOL, act=ReLU())),
            id="a shortcut without tensors, of any names",
        ),
        pytest.param(
            Sequential(a=CONV, proj=From("input", PROJECT), b=From("a", LARGE), out=Add("proj", "b")),
            Residual(a=CONV, proj=Shortcut(PROJECT), b=LARGE),
            id="a shortcut of another name, where it runs",
        ),
        pytest.param(
            Sequential(downsample=CONV, a=From("input", PROJECT), out=Add("a", "downsample")),
            Residual(downsample=Shortcut(CONV), a=PROJECT),
            id="a shortcut run first",
        ),
        pytest.param(
            Sequential(a=CONV, proj=From("input", CONV), out=Add("a", "proj")),
            Residual(a=CONV, proj=Shortcut(CONV)),
            id="of two chains that are alike the second is the shortcut",
        ),
        pytest.param(
            Residual(a=Shortcut(PROJECT), b=CONV),
            Residual(a=PROJECT, b=Shortcut(CONV)),
            id="a mark at the other",
        ),
        pytest.param(
            Residual(a=CONV, b=ReLU(), pool=Shortcut(POOL)),
            Residual(a=CONV, b=ReLU(), downsample=POOL),
            id="a shortcut without tensors that runs last",
        ),
        pytest.param(
            Sequential(pool=POOL, act=ReLU(), a=From("input", CONV), b=PROJECT, add=Add("b", "act")),
            Residual(act=Shortcut(Sequential(pool=POOL, act=ReLU())), a=CONV, b=PROJECT),
            id="a shortcut without tensors that runs first",
        ),
        pytest.param(
            Sequential(a=PROJECT, b=From("input", CONV), c=ReLU(), out=Add("a", "c")),
            Residual(a=Shortcut(PROJECT), b=CONV, c=ReLU()),
            id="of chains of layers with tensors that of one child is the shortcut",
        ),
        pytest.param(
            Sequential(a=PROJECT, b=From("input", CONV), act=From("a", ReLU()), out=Multiply("act", "b")),
            Gate(a=PROJECT, b=Shortcut(CONV), act=ReLU()),
            id="a product of two chains",
        ),
        pytest.param(
            Sequential(downsample=PROJECT, add=Add("downsample", "input")),
            Residual(downsample=PROJECT),
            id="a shortcut alone",
        ),
        pytest.param(
            Sequential(a=MEAN, b=Conv2d(4, 1), add=Add("b", "input")),
            Residual(a=MEAN, b=Conv2d(4, 1)),
            id="a sum with one value for all positions",
        ),
        pytest.param(
            Sequential(a=MEAN, b=Conv2d(4, 1), c=Sigmoid(), out=Multiply("c", "input")),
            Gate(a=MEAN, b=Conv2d(4, 1), c=Sigmoid()),
            id="a gate",
        ),
        pytest.param(Sequential(a=CONV, b=ReLU(), out=Cat("input", "b")), Dense(a=CONV, b=ReLU()), id="a dense layer"),
        pytest.param(
            Sequential(a=CONV, b=PROJECT, pool=From("input", POOL), out=Cat("pool", "b")),
            Dense(a=CONV, b=PROJECT, pool=Shortcut(POOL)),
            id="branches that run in another order",
        ),
        pytest.param(
            Sequential(a=CONV, out=Cat("a", "input")), Dense(a=Shortcut(CONV)), id="what enters behind a layer"
        ),
        pytest.param(
            Dense(a=Shortcut(POOL), b=CONV, c=ReLU()),
            Dense(a=Shortcut(POOL), b=CONV, c=ReLU()),
            id="two branches of which one has named layers",
        ),
        pytest.param(Dense(a=Shortcut(POOL), b=CONV), Concat(a=POOL, b=CONV), id="two branches"),
        pytest.param(Sequential(a=POOL, out=Subtract("a", "input")), Difference(a=POOL), id="a difference"),
        pytest.param(
            Sequential(a=POOL, out=Subtract("input", "a")),
            Difference(a=Shortcut(POOL)),
            id="what enters without a layer",
        ),
        pytest.param(
            Sequential(norm=PROJECT, a=From("input", CONV), b=LARGE, out=Subtract("b", "norm")),
            Difference(norm=Shortcut(PROJECT), a=CONV, b=LARGE),
            id="a difference of two chains",
        ),
        pytest.param(
            Sequential(pool=Sequential(POOL, CONV), out=Subtract("pool", "input"), d=CONV),
            Sequential(pool=Difference(POOL, CONV), d=CONV),
            id="a block without what it reads",
        ),
        pytest.param(
            Sequential(a=CONV, b=PROJECT, c=CONV, out=Cat("input", "a", "b", "c")),
            Collect(a=CONV, b=PROJECT, c=CONV),
            id="all that layers one after the other make",
        ),
        pytest.param(
            Sequential(
                stem=CONV,
                layers=Sequential(CONV, PROJECT, out=Outputs("0", "1")),
                cat=Cat("stem", "layers"),
                last=CONV,
            ),
            Sequential(stem=CONV, layers=Collect(CONV, PROJECT), last=CONV),
            id="all that the layers of a block make",
        ),
        pytest.param(
            Sequential(
                one=Sequential(n=BatchNorm2d(), c=CONV),
                both=Cat("input", "one"),
                two=Sequential(n=BatchNorm2d(), c=CONV),
                all=Cat("both", "two"),
                act=ReLU(),
            ),
            Sequential(one=Dense(n=BatchNorm2d(), c=CONV), two=Dense(n=BatchNorm2d(), c=CONV), act=ReLU()),
            id="a growing concatenation of blocks",
        ),
        pytest.param(
            Sequential(a=CONV, b=From("input", PROJECT), c=From("input", POOL), d=ReLU(), out=Cat("a", "b", "d")),
            Concat(a=CONV, b=PROJECT, d=Sequential(c=POOL, d=ReLU())),
            id="branches",
        ),
        pytest.param(
            Sequential(a=CONV, b=POOL, c=From("a", LARGE), cat=Cat("b", "c"), d=CONV, aux=Aux("cat", CONV)),
            Sequential(a=CONV, cat=Concat(b=POOL, c=LARGE), d=CONV, aux=Aux("cat", CONV)),
            id="branches without tensors in a row",
        ),
        pytest.param(
            Sequential(
                a=CONV,
                ca=Sequential(MEAN, Conv2d(4, 1)),
                mul=Multiply("ca", "a"),
                sa=Sequential(x=Mean(1, keepdim=True), y=From("input", Max(1, keepdim=True)), z=Cat("x", "y"), c=CONV),
                out=Multiply("mul", "sa"),
            ),
            Sequential(
                a=CONV,
                ca=Gate(MEAN, Conv2d(4, 1)),
                sa=Gate(z=Concat(x=Mean(1, keepdim=True), y=Max(1, keepdim=True)), c=CONV),
            ),
            id="blocks that gate what they read",
        ),
        pytest.param(
            Sequential(a=CONV, b=POOL, add=Add("a", "b"), c=POOL, sum=Add("c", "add"), d=CONV),
            Sequential(a=CONV, add=Residual(b=POOL), sum=Residual(c=POOL), d=CONV),
            id="equal neighbours are equal values",
        ),
        pytest.param(
            Sequential(block=Sequential(a=CONV, b=ReLU(), add=Add("b", "input")), c=From("block.a", CONV)),
            Sequential(block=Residual(a=CONV, b=ReLU()), c=From("block.a", CONV)),
            id="a block in which a value is read",
        ),
        pytest.param(
            Sequential(block=Sequential(a=CONV, add=Add("a", "input")), c=ReLU(), d=Run("block"), e=Run("block.a")),
            Sequential(block=Residual(a=CONV), c=ReLU(), d=Run("block"), e=Run("block.a")),
            id="a block whose layers run again",
        ),
        pytest.param(
            Sequential(
                paths=Sequential(CONV, From("input", PROJECT), out=Outputs("0", "1")), out=Add("paths"), act=ReLU()
            ),
            Sequential(paths=Residual(Shortcut(CONV), PROJECT), act=ReLU()),
            id="all that a block gives",
        ),
        pytest.param(
            Sequential(a=From("input", CONV), b=From("a", ReLU())), Sequential(a=CONV, b=ReLU()), id="a chain"
        ),
    ],
)
def test_steps_become_the_join_that_says_them(steps: Node, folded: Node) -> None:
    assert fold(steps) == folded
    says_the_same(folded, steps, (4, 6, 5))


@pytest.mark.parametrize(
    ("steps", "folded"),
    [
        pytest.param(
            Sequential(a=CONV, act=ReLU(), b=From("input", CONV), out=Cat("act", "b"), c=ReLU()),
            Sequential(out=Inline(Concat, act=Inline(Sequential, a=CONV, act=ReLU()), b=CONV), c=ReLU()),
            id="a branch of named layers",
        ),
        pytest.param(
            Sequential(a=CONV, b=CONV, one=Add("a", "b"), c=CONV, d=ReLU(), two=Add("d", "one")),
            Sequential(a=CONV, one=Inline(Residual, b=CONV), two=Inline(Residual, c=CONV, d=ReLU())),
            id="two sums in a block",
        ),
        pytest.param(
            Sequential(norm=BatchNorm2d(), downsample=PROJECT, a=From("norm", CONV), out=Add("a", "downsample")),
            Sequential(norm=BatchNorm2d(), out=Inline(Residual, downsample=Shortcut(PROJECT), a=CONV)),
            id="layers before the shortcut",
        ),
        pytest.param(
            Sequential(a=CONV, b=ReLU(), out=Add("b", "input"), c=Run("a")),
            Sequential(out=Inline(Residual, a=CONV, b=ReLU()), c=Run("a")),
            id="layers that run again",
        ),
        pytest.param(
            Sequential(block=Sequential(a=CONV, sum=Add("a", "input"), b=ReLU()), c=From("block.sum", CONV)),
            Sequential(block=Sequential(sum=Inline(Residual, a=CONV), b=ReLU()), c=From("block.sum", CONV)),
            id="a sum that is read from around",
        ),
        pytest.param(
            Sequential(block=Sequential(a=CONV, b=POOL, sum=Add("a", "b"), c=CONV), d=From("block.b", CONV)),
            Sequential(block=Sequential(a=CONV, sum=Inline(Residual, b=POOL), c=CONV), d=From("block.b", CONV)),
            id="a layer that is read from around",
        ),
        pytest.param(
            Sequential(a=CONV, proj=From("input", CONV), out=Add("a", "proj"), b=ReLU()),
            Sequential(out=Inline(Residual, a=CONV, proj=Shortcut(CONV)), b=ReLU()),
            id="a layer behind a sum with a marked shortcut",
        ),
        pytest.param(
            Sequential(a=PROJECT, d=CONV, b=From("input", CONV), c=ReLU(), out=Add("d", "c")),
            Sequential(out=Inline(Residual, a=PROJECT, d=CONV, c=Shortcut(Inline(Sequential, b=CONV, c=ReLU())))),
            id="a shortcut of several layers",
        ),
        pytest.param(
            Sequential(
                a=CONV,
                b=From("input", CONV),
                c=CONV,
                d=From("b", POOL),
                pair=Cat("c", "d"),
                e=From("input", POOL),
                all=Cat("a", "pair", "e"),
            ),
            Sequential(
                all=Inline(
                    Concat,
                    a=CONV,
                    pair=Inline(Sequential, b=CONV, pair=Inline(Concat, c=CONV, d=POOL)),
                    e=POOL,
                )
            ),
            id="branches in a branch",
        ),
        pytest.param(
            Sequential(a=CONV, b=CONV, out=Cat("b", "input")),
            Sequential(out=Inline(Dense, b=Shortcut(Inline(Sequential, a=CONV, b=CONV)))),
            id="what enters behind several layers",
        ),
        pytest.param(
            Sequential(a=CONV, b=CONV, out=Subtract("input", "b"), c=ReLU()),
            Sequential(out=Inline(Difference, b=Shortcut(Inline(Sequential, a=CONV, b=CONV))), c=ReLU()),
            id="what enters without several layers",
        ),
        pytest.param(
            Sequential(stem=CONV, a=CONV, b=CONV, c=ReLU(), out=Cat("stem", "a", "b", "c"), last=CONV),
            Sequential(stem=CONV, out=Inline(Collect, a=CONV, b=CONV, c=ReLU()), last=CONV),
            id="layers one after the other with all that they make",
        ),
        pytest.param(
            Sequential(left=Chunk(2, 0), right=From("input", Chunk(2, 1)), a=From("left", CONV), out=Cat("a", "right")),
            Sequential(out=Inline(Concat, a=Inline(Sequential, left=Chunk(2, 0), a=CONV), right=Chunk(2, 1))),
            id="parts that are taken before they are read",
        ),
        pytest.param(
            Sequential(a=CONV, act=ReLU(), b=CONV, mul=Multiply("act", "b"), c=From("a", CONV), d=From("a", ReLU())),
            Sequential(a=CONV, act=ReLU(), mul=Inline(Gate, b=CONV), c=From("a", CONV), d=From("a", ReLU())),
            id="beside steps that stay",
        ),
    ],
)
def test_a_join_whose_layers_keep_their_paths_is_inlined(steps: Node, folded: Node) -> None:
    assert fold(steps) == folded
    says_the_same(folded, steps, SHAPE)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(Sequential(a=CONV, out=Add("a", "input"), b=Add("a", "out")), id="a value that is read twice"),
        pytest.param(Sequential(a=CONV, b=POOL, aux=Aux("b", CONV), out=Add("a", "b")), id="a value that a head reads"),
        pytest.param(Sequential(a=CONV, b=POOL, out=Cat("a", "b", dim=2)), id="a concatenation along the height"),
        pytest.param(
            Sequential(a=CONV, b=From("input", CONV), c=From("a", CONV), d=From("b", CONV), out=Cat("d", "c")),
            id="branches by turns in another order",
        ),
        pytest.param(Sequential(a=CONV, b=CONV, out=Cat("a", "b", "input")), id="what enters behind what is made"),
        pytest.param(Sequential(a=CONV, b=CONV, c=CONV, out=Cat("input", "a", "c")), id="not all that is made"),
        pytest.param(Sequential(a=CONV, out=Add("input", "a", "input")), id="a sum of three"),
        pytest.param(
            Sequential(pair=Sequential(a=CONV, out=Outputs("a", "input")), sum=Add("pair"), b=From("pair.a", CONV)),
            id="several values, of which one is read again",
        ),
    ],
)
def test_steps_that_no_join_says_stay(steps: Node) -> None:
    assert fold(steps) == steps


def layer(*reads: str) -> From:
    """DenseNet's, which is given what all layers before it have made."""
    both = Cat(*(f"input.{place}" for place in range(len(reads)))) if len(reads) > 1 else Cat("input")
    return From(*reads, Sequential(cat=both, norm=BatchNorm2d(), conv=CONV))


def test_layers_that_read_all_before_them_are_a_growing_concatenation() -> None:
    """As torchvision writes DenseNet. What was concatenated goes, where its parts are kept there to the end."""
    growing = {"a": layer("input"), "b": layer("input", "a"), "c": layer("input", "a", "b")}
    steps = Sequential(**growing, all=Cat("input", "a", "b", "c"), act=ReLU())
    dense = Dense(norm=BatchNorm2d(), conv=CONV)
    folded = Sequential(a=dense, b=dense, c=dense, act=ReLU())
    assert fold(steps) == folded
    same_outputs(folded, steps, SHAPE)
    one, other = calculate(folded, SHAPE).totals, calculate(steps, SHAPE).totals
    differ = {"activations", "activation_bytes", "peak_activation_bytes", "peak_bytes"}
    assert {name for name in one if one[name] != other[name]} == differ
    assert one["peak_bytes"] < other["peak_bytes"]


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param({"b": layer("a", "input"), "all": Cat("input", "a", "b")}, id="in another order"),
        pytest.param({"b": layer("input", "a"), "all": Cat("input", "b", "a")}, id="that ends in another order"),
        pytest.param({"b": layer("input", "a"), "all": Cat("input", "a", "b"), "c": From("b", CONV)}, id="read again"),
        pytest.param({"b": layer("input", "a"), "all": Cat("a", "b")}, id="without what enters"),
    ],
)
def test_other_concatenations_do_not_grow(steps: dict[str, Any]) -> None:
    description = Sequential(a=layer("input"), **steps)
    assert fold(description) == description


@pytest.mark.parametrize(
    ("gate", "steps", "folded"),
    [
        pytest.param([MEAN, Conv2d(4, 1)], (3, (14, 12)), (3, (14, 12)), id="of channels"),
        pytest.param([CONV, Sigmoid()], (5, 5), (3, 5), id="of positions"),
    ],
)
def test_behind_a_gate_the_receptive_field_is_that_of_what_it_gates(gate: list[Node], steps: Any, folded: Any) -> None:
    net = Sequential(stem=CONV, gate=Sequential(*gate), out=Multiply("stem", "gate"))
    seen = [calculate(one, (4, 12, 10)).rows[-1] for one in (net, fold(net))]
    assert [(row.receptive_field, row.gated_field) for row in seen] == [steps, folded]
