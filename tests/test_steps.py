"""Steps: how names are resolved, what is refused where a Sequential is made, and what steps come to."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from time import process_time
from typing import Any

import pytest
import torch
from hypothesis import given
from reference import saved_bytes
from stepped import STEPPED, siamese
from strategies import networks
from torch.utils.flop_counter import FlopCounterMode

from cnnzoo import arch
from cnnzoo.arch import (
    Add,
    Aux,
    Cat,
    Concat,
    Conv2d,
    Dense,
    FormatError,
    From,
    Gate,
    MatMul,
    MaxPool2d,
    ModuleList,
    Multiply,
    Node,
    Outputs,
    ReLU,
    Residual,
    Run,
    Sequential,
    ShapeError,
    Sigmoid,
    Stack,
    Subtract,
    dumps,
    find,
    join,
    loads,
    remove,
    rewrite,
)
from cnnzoo.calculate import calculate
from cnnzoo.errors import InvalidTypeError
from cnnzoo.pytorch.modules.build import build
from cnnzoo.totals import totals

CONV = Conv2d(4, 3, padding=1)
PAIR = Sequential(a=CONV, b=CONV, out=Outputs("a", "b"))
"""Gives two values."""
MEETING = Sequential(x=From("input.0", CONV), y=From("input.1", CONV), z=Add("x", "y"))
"""Takes two values."""
ROW = Sequential(x=ReLU(), y=ReLU())
SIZE = (3, 8, 8)

each = pytest.mark.parametrize("name", STEPPED)


class TestNames:
    @pytest.mark.parametrize(
        ("said", "same"),
        [
            ({"a": CONV, "b": From("a", ReLU())}, {"a": CONV, "b": ReLU()}),
            ({"a": From("input", CONV)}, {"a": CONV}),
            ({"a": CONV, "b": Add("a")}, {"a": CONV, "b": Add()}),
            ({"a": CONV, "b": Run("a", "a")}, {"a": CONV, "b": Run("a")}),
            ({"p": PAIR, "b": Add("p")}, {"p": PAIR, "b": Add()}),
            ({"a": CONV, "b": Outputs("a")}, {"a": CONV, "b": Outputs()}),
            (
                {"l": ModuleList(CONV), "a": From("input", ReLU()), "b": Run("l.0", "a")},
                {"l": ModuleList(CONV), "a": ReLU(), "b": Run("l.0")},
            ),
        ],
    )
    def test_a_child_reads_the_child_before_it_whether_that_is_said_or_not(self, said: Any, same: Any) -> None:
        one, other = Sequential(**said), Sequential(**same)
        assert one == other
        assert hash(one) == hash(other)
        assert repr(one) == repr(other)
        assert dumps(one) == dumps(other)

    @pytest.mark.parametrize(
        ("name", "channels"),
        [
            ("stem", 2),
            ("block", 5),
            ("block.mid", 3),
            ("block.inner.deep", 4),
            ("pair.a", 6),
            ("pair.b", 7),
            ("pair.0", 6),
            ("pair.1", 7),
            ("again.mid", 3),
            ("again", 5),
            ("input", 2),
        ],
    )
    def test_name_an_earlier_sibling_a_path_into_one_and_one_of_several_values(self, name: str, channels: int) -> None:
        net = Sequential(
            stem=Conv2d(2, 1),
            block=Sequential(mid=Conv2d(3, 1), inner=Sequential(deep=Conv2d(4, 1)), end=Conv2d(5, 1)),
            pair=Sequential(a=Conv2d(6, 1), b=Conv2d(7, 1), out=Outputs("a", "b")),
            again=Run("block", "stem"),
            tail=From(name, ReLU()),
        )
        assert calculate(net, (2, 4, 4))[""].output_shape == (channels, 4, 4)

    @pytest.mark.parametrize("names", [("input.0", "input.1"), ("input.a", "input.b"), ("input.b", "input.a")])
    def test_one_of_several_that_enter_goes_by_its_position_or_by_its_name(self, names: tuple[str, str]) -> None:
        swapped = names[0] == "input.b"
        inner = Sequential(x=From(names[0], Conv2d(1, 1)), y=Cat("x", names[1]))
        net = Sequential(a=Conv2d(5, 1), b=From("input", Conv2d(2, 1)), c=From("a", "b", inner))
        report = calculate(net, SIZE)
        assert report["c.x"].input_shape == ((2, 8, 8) if swapped else (5, 8, 8))
        assert report["c"].output_shape == ((6, 8, 8) if swapped else (3, 8, 8))

    def test_values_of_one_name_go_by_their_positions(self) -> None:
        """As do those of a name that is a number: the two `0` of two lists are 0 and 1."""
        give = Sequential(a=Sequential(CONV), b=Sequential(Conv2d(2, 1)), out=Outputs("a.0", "b.0"))
        net = Sequential(give=give, tail=From("give.1", ReLU()))
        assert calculate(net, SIZE)[""].output_shape == (2, 8, 8)
        assert find(net, "give")._gives == ("0", "1")

    @pytest.mark.parametrize(
        "net",
        [
            Sequential(a=ROW, b=ROW, end=Add("a.x", "b.x")),
            Sequential(held=ModuleList(ROW), a=Run("held.0"), b=Run("held.0"), end=Add("a.x", "b.x")),
        ],
    )
    def test_values_in_several_blocks_are_read_after_all_of_these(self, net: Node) -> None:
        assert calculate(net, SIZE)["end"].output_shape == SIZE

    def test_a_block_reads_nothing_around_it(self) -> None:
        """So that it is the same block wherever it stands."""
        with pytest.raises(ShapeError, match=r"'tail' reads 'outer'; there are conv and 'input'"):
            Sequential(outer=CONV, block=Sequential(conv=CONV, tail=From("outer", ReLU())))

    def test_what_is_read_from_lists_and_heads_is_the_value_before_them(self) -> None:
        net = Sequential(a=Conv2d(2, 1), held=ModuleList(CONV), aux1=Aux("a", Conv2d(9, 1)), b=ReLU(), r=Run("held.0"))
        assert calculate(net, SIZE)["b"].input_shape == (2, 8, 8)


def refused(*layers: Any, **named: Any) -> Callable[[], Any]:
    return lambda: Sequential(*layers, **named)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            refused(conv=CONV, pool=MaxPool2d(2), tail=From("relu", ReLU())),
            "Sequential: 'tail' reads 'relu'; there are conv, pool and 'input'",
        ),
        (refused(tail=From("relu", ReLU())), "Sequential: 'tail' reads 'relu'; there is 'input' alone"),
        (
            refused(conv=CONV, tail=From("late", ReLU()), late=ReLU()),
            "Sequential: 'tail' reads 'late'; there are conv and 'input'",
        ),
        (
            refused(conv=CONV, tail=From("tail", ReLU())),
            "Sequential: 'tail' reads 'tail'; there are conv and 'input'",
        ),
        (
            refused(held=ModuleList(CONV), run=Run("held.0"), tail=From("held.0", ReLU())),
            "Sequential: 'tail' reads 'held.0'; its layers are held for Run alone; there are run and 'input'",
        ),
        (
            refused(conv=CONV, aux1=Aux("conv", CONV), tail=From("aux1", ReLU())),
            "Sequential: 'tail' reads 'aux1'; there are conv and 'input'",
        ),
        (refused(conv=CONV, tail=From("", ReLU())), "Sequential: 'tail' reads ''; there are conv and 'input'"),
        (refused(tail=From("input.", ReLU())), "Sequential: 'tail' reads 'input.'; there is 'input' alone"),
        (refused(tail=From("input.a.b", ReLU())), "Sequential: 'tail' reads 'input.a.b'; there is 'input' alone"),
        (
            refused(conv=CONV, tail=From("conv.weight", ReLU())),
            "Sequential: 'tail' reads 'conv.weight'; the values in 'conv' are none",
        ),
        (
            refused(conv=CONV, tail=From("conv.", ReLU())),
            "Sequential: 'tail' reads 'conv.'; the values in 'conv' are none",
        ),
        (
            refused(block=Residual(conv=CONV, downsample=None), tail=From("block.downsample", ReLU())),
            "Sequential: 'tail' reads 'block.downsample'; the values in 'block' are conv",
        ),
        *(
            (
                refused(pair=PAIR, tail=From(f"pair.{port}", ReLU())),
                f"Sequential: 'tail' reads 'pair.{port}'; the values in 'pair' are a, b",
            )
            for port in ("2", "-1", "01", "١", "²", "c")
        ),
        (
            refused(block=Sequential(pair=PAIR, one=From("pair.a", ReLU())), tail=From("block.pair.c", ReLU())),
            "Sequential: 'tail' reads 'block.pair.c'; the values in 'block.pair' are a, b",
        ),
        (
            refused(block=Sequential(pair=PAIR, one=From("pair.a", ReLU())), tail=From("block.pair", ReLU())),
            "Sequential: 'tail' reads 'block.pair', which is several values: a, b",
        ),
        (
            refused(pair=PAIR, tail=ReLU()),
            "Sequential: 'tail' takes one value, and is given 2: a, b; it reads pair",
        ),
        (
            refused(conv=CONV, tail=From("conv", "input", Concat(CONV))),
            "Sequential: 'tail' takes one value, and is given 2: conv, input; it reads conv, input",
        ),
        (
            refused(conv=CONV, tail=MEETING),
            "Sequential: 'tail' asks for input.0, and is given one value; it reads conv",
        ),
        (
            refused(conv=CONV, tail=From("conv", "input", Sequential(x=From("input.2", CONV)))),
            "Sequential: 'tail' asks for input.2, and is given 2: conv, input; it reads conv, input",
        ),
        (
            refused(x=From("input.0", CONV), y=From("input", CONV)),
            "Sequential: 'y' reads all that enters, of which 'x' reads input.0; From('input.0', …) reads one of them",
        ),
        (
            refused(conv=CONV, tail=Subtract("conv")),
            "Sequential: 'tail' Subtract takes 2 values, and is given 1; it reads conv",
        ),
        (
            refused(conv=CONV, tail=Multiply("conv", "input", "conv")),
            "Sequential: 'tail' Multiply takes 2 values, and is given 3; it reads conv, input, conv",
        ),
        (
            refused(pair=PAIR, tail=Multiply("pair", "input")),
            "Sequential: 'tail' Multiply takes 2 values, and is given 3; it reads pair, input",
        ),
        (
            refused(conv=CONV, out=Outputs("conv", "input"), tail=ReLU()),
            "Sequential: 'out' must stand last: it says what the Sequential gives",
        ),
        (
            refused(held=ModuleList(CONV, ModuleList(ReLU(), deep=Sequential(CONV))), run=Run("held.0")),
            "Sequential: 'held.1.0' is held in a ModuleList and never runs; Run(…) runs it",
        ),
        (
            refused(held=From("input", ModuleList(CONV))),
            "Sequential: 'held' reads nothing: a ModuleList is run by Run('held.0', …)",
        ),
        (
            refused(conv=CONV, aux1=From("input", Aux("conv", CONV))),
            "Sequential: the head 'aux1' reads 'conv' alone",
        ),
        *(
            (refused(**children, run=Run(path)), f"Sequential: 'run' runs {path!r}; the layers before it are {there}")
            for path, there, children in (
                ("late", "conv", {"conv": CONV}),
                ("run", "conv", {"conv": CONV}),
                ("input", "conv", {"conv": CONV}),
                ("first", "conv", {"conv": CONV, "first": Run("conv")}),
                ("sum", "conv", {"conv": CONV, "sum": Add("conv", "input")}),
                ("block.sum", "block", {"block": Sequential(conv=CONV, sum=Add("conv", "input"))}),
                ("pair.out", "pair", {"pair": PAIR}),
                ("aux1", "conv", {"conv": CONV, "aux1": Aux("conv", CONV)}),
                ("aux1.0", "conv", {"conv": CONV, "aux1": Aux("conv", CONV)}),
                ("held", "none", {"held": ModuleList(CONV)}),
                ("block.downsample", "block", {"block": Residual(CONV, downsample=None)}),
            )
        ),
        (refused(input=CONV), "Sequential: a child cannot be named 'input': steps read what enters by that name"),
        *(
            (
                lambda join=join, child=child: join(a=CONV, b=child),
                f"{join.__name__}: 'b' is no function of one value; steps stand in a Sequential",
            )
            for join in (Concat, Residual, Dense, Gate)
            for child in (Run("a"), Add(), Outputs(), PAIR, MEETING, ModuleList(CONV))
        ),
    ],
)
def test_what_cannot_be_read_or_run_names_the_step_what_it_asked_for_and_what_there_is(
    make: Callable[[], Any], message: str
) -> None:
    with pytest.raises(ShapeError) as raised:
        make()
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: From("a", From("b", ReLU())),
            "From: From('b', ReLU()) says already what it reads",
        ),
        (lambda: From("a", Run("b", "c")), "From: Run('b', 'c') says already what it reads"),
        *(
            (
                lambda reads=reads: From(*reads),
                f'From takes names and a layer or a join, as in From("conv3", ReLU()); got ({shown})',
            )
            for reads, shown in (((), ""), (("a",), "'a'"), ((ReLU(),), "ReLU()"), ((1, ReLU()), "1, ReLU()"))
        ),
        *(
            (lambda kind=kind: kind(["a", "b"]), f"{kind.__name__} reads values by their names, got ['a', 'b']")
            for kind in (Add, Subtract, Multiply, MatMul, Cat, Stack, Outputs)
        ),
        (lambda: Run("a", 1), "Run reads values by their names, got 1"),
        (lambda: Run(1), "Run: layers must be the name of an earlier child, got 1"),
        (lambda: Run(), "Run takes (layers), got ()"),
        (lambda: Cat("a", "b", dims=2), "Cat takes (dim=1), got (dims=2)"),
        (lambda: Outputs("a", dim=2), "Outputs takes (), got (dim=2)"),
        *(
            (
                lambda join=join: join(a=CONV, b=From("a", ReLU())),
                f"{join.__name__}: child 'b' must be a layer or a join, got the step From('a', ReLU()): "
                "steps stand in a Sequential",
            )
            for join in (Concat, Residual, Dense, Gate, ModuleList)
        ),
    ],
)
def test_what_is_no_step_is_refused_by_the_name_that_was_called(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidTypeError) as raised:
        make()
    assert str(raised.value) == message


@pytest.mark.parametrize("reader", [calculate, totals, build])
@pytest.mark.parametrize(
    ("net", "sizes", "message"),
    [
        (MEETING, SIZE, "the network asks for input.0, and is given one value; input_size=(3, 8, 8)"),
        (
            Sequential(CONV),
            (SIZE, SIZE),
            "the network takes one value, and is given 2: 0, 1; input_size=(3, 8, 8), (3, 8, 8)",
        ),
        (
            Sequential(x=From("input.2", CONV)),
            (SIZE, SIZE),
            "the network asks for input.2, and is given 2: 0, 1; input_size=(3, 8, 8), (3, 8, 8)",
        ),
        (
            Sequential(x=From("input." + "9" * 5000, CONV)),
            SIZE,
            None,
        ),
        (Add(), SIZE, "Add() is a step, and no network; steps stand in a Sequential"),
        (Run("a"), SIZE, "Run('a') is a step, and no network; steps stand in a Sequential"),
        (
            Sequential(block=Sequential(conv=CONV, sum=Add("conv", "input"))),
            SIZE,
            "at block.sum: Add: (3, 8, 8) does not go with (4, 8, 8); (4, 8, 8), or 1 in place of some of these "
            "lengths, would fit",
        ),
        (
            Sequential(conv=CONV, pool=MaxPool2d(2), cat=Cat("conv", "pool")),
            SIZE,
            "at cat: cannot concatenate (4, 4, 4) after (4, 8, 8); maps of (8, 8) would fit",
        ),
        (
            Sequential(conv=CONV, product=MatMul("conv", "input")),
            SIZE,
            "at product: MatMul: no matrix product of (4, 8, 8) and (3, 8, 8); (4, 8, any) would fit",
        ),
        (
            Sequential(conv=CONV, cat=Stack("conv", "input")),
            SIZE,
            "at cat: cannot stack (3, 8, 8) on (4, 8, 8); equal shapes would fit",
        ),
        (
            Sequential(block=Sequential(conv=CONV, again=Run("conv"))),
            SIZE,
            "at block.conv: has tensors of (4, 3, 3, 3), (4,) and would need (4, 4, 3, 3), (4,) for an input of "
            "(4, 8, 8); the first was (3, 8, 8)",
        ),
    ],
)
def test_what_does_not_fit_an_input_is_said_by_every_reader(reader: Any, net: Node, sizes: Any, message: str) -> None:
    with pytest.raises(ShapeError) as raised:
        reader(net, sizes)
    assert message is None or str(raised.value) == message


def child(data: Any, reads: Any = ...) -> dict[str, Any]:
    return data if reads is ... else {**data, "reads": reads}


RELU = {"kind": "ReLU"}


class TestJson:
    @pytest.mark.parametrize(
        ("children", "message"),
        [
            ({"a": child(RELU, "input")}, "'reads' must be a list of names, got 'input'"),
            ({"a": child(RELU, [])}, "must be a list of names, got []"),
            ({"a": child(RELU, [1])}, "must be a list of names, got [1]"),
            ({"a": child(RELU, {"input": 1})}, "must be a list of names, got {'input': 1}"),
            ({"a": child(RELU, None)}, "must be a list of names, got None"),
            ({"a": child(RELU, ["b"]), "b": child(RELU, ["a"])}, "'a' reads 'b'; there is 'input' alone"),
            ({"a": child(RELU, ["a"])}, "'a' reads 'a'; there is 'input' alone"),
            ({"a": {"kind": "Run", "layers": "a"}}, "'a' runs 'a'; the layers before it are none"),
            ({"a": {"kind": "Run"}}, "Run needs a setting 'layers'"),
            ({"a": {"kind": "Run", "layers": ["a"]}}, "Run: layers must be the name of an earlier child"),
            ({"a": {"kind": "From"}}, "there is no layer or join 'From'"),
            ({"a": {"kind": "Meeting"}}, "there is no layer or join 'Meeting'"),
            ({"a": {"kind": "Add", "names": ["input"]}}, "Add has no setting 'names'"),
            ({"a": child(RELU, ["input." + "9" * 5000, "input"])}, "takes one value, and is given 2"),
            ({"input": RELU}, "a child cannot be named 'input'"),
        ],
    )
    def test_what_is_no_step_is_said_with_its_place(self, children: Any, message: str) -> None:
        with pytest.raises(FormatError) as raised:
            loads(
                json.dumps({"kind": "Sequential", "children": {"block": {"kind": "Sequential", "children": children}}})
            )
        assert message.replace("'reads'", '"reads"') in str(raised.value)
        assert str(raised.value).startswith("the description > block")

    def test_a_description_itself_reads_nothing(self) -> None:
        with pytest.raises(FormatError, match="ReLU has no setting 'reads'"):
            loads(json.dumps(child(RELU, ["input"])))

    def test_too_many_and_too_deep_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(join, "LARGEST", 1000)
        many = {f"c{number}": child(RELU, ["input"]) for number in range(1000)}
        with pytest.raises(FormatError, match="at most 1,000 layers and joins"):
            loads(json.dumps({"kind": "Sequential", "children": many}))
        deep: Any = child(RELU, ["input"])
        for _ in range(70):
            deep = {"kind": "Sequential", "children": {"a": deep}}
        with pytest.raises(FormatError, match="nested more than 64 levels"):
            loads(json.dumps(deep))


def chained(count: int) -> Node:
    """Every step reads two earlier values."""
    steps: dict[str, Any] = {f"a{number}": Add("input", f"a{number - 1}") for number in range(1, count)}
    return Sequential(a0=ReLU(), **steps)


def held(count: int) -> Node:
    """As many layers in a list as there are runs."""
    layers = ModuleList(*[ReLU()] * (count // 2))
    return Sequential(held=layers, **{f"r{number}": Run(f"held.{number}") for number in range(count // 2)})


def one_run_often(count: int) -> Node:
    return Sequential(conv=Conv2d(2, 1), **{f"r{number}": Run("conv") for number in range(count)})


def looks(count: int) -> Node:
    """A block in which every value is read."""
    inner = Sequential(*[ReLU()] * (count // 2))
    return Sequential(block=inner, **{f"r{number}": From(f"block.{number}", ReLU()) for number in range(count // 2)})


def ports(count: int) -> Node:
    """A block that gives as many values as are read, by name and by position, and one that takes them."""
    third = count // 3
    names = [f"x{number}" for number in range(third)]
    give = Sequential(**dict.fromkeys(names, ReLU()), out=Outputs(*names))
    readers = {f"y{place}": From(f"input.{name if place % 2 else place}", ReLU()) for place, name in enumerate(names)}
    return Sequential(give=give, take=Sequential(**readers, sum=Add(*readers)))


def wide_cat(count: int) -> Node:
    steps = dict.fromkeys((f"a{number}" for number in range(count)), ReLU())
    return Sequential(**steps, cat=Cat(*steps))


@pytest.mark.wide(1)
@pytest.mark.parametrize("make", [chained, held, one_run_often, looks, ports, wide_cat])
def test_thousands_of_steps_cost_as_much_more_as_there_are_more(make: Callable[[int], Node]) -> None:
    """Some three seconds of a core; were it the square of their number, a minute."""
    start = process_time()
    net = make(20_000)
    assert loads(dumps(net)) == net
    repr(net)
    calculate(net, (2, 2, 2))
    totals(net, (2, 2, 2))
    assert process_time() - start < 15


def test_a_long_row_of_steps_can_be_left_out_at_once() -> None:
    row = {f"r{number}": ReLU() for number in range(5000)}
    net = Sequential(conv=CONV, a=Sigmoid(), **row, end=Add("a", "r9"))
    without = rewrite(net, lambda path, node: None if isinstance(node, ReLU) else node)
    assert without == Sequential(conv=CONV, a=Sigmoid(), end=Add("a", "a"))


class TestEdits:
    def test_what_followed_a_removed_step_reads_what_that_read(self) -> None:
        net = Sequential(a=CONV, b=ReLU(), skip=From("a", Conv2d(4, 1)), act=Sigmoid(), end=Add("b", "act"))
        assert remove(net, "skip") == Sequential(a=CONV, b=ReLU(), act=From("a", Sigmoid()), end=Add("b", "act"))

    def test_a_name_that_is_left_without_its_value_is_an_error_with_its_place(self) -> None:
        net = Sequential(block=Sequential(a=CONV, relu=ReLU(), b=Sigmoid(), end=Add("relu", "b")))
        with pytest.raises(ShapeError) as raised:
            remove(net, "block.relu")
        assert str(raised.value) == "at block: Sequential: 'end' reads 'relu'; there are a, b and 'input'"

    def test_layers_that_run_elsewhere_cannot_be_removed(self) -> None:
        with pytest.raises(ShapeError, match=r"^Sequential: 'other' runs 'tower'; the layers before it are none$"):
            remove(siamese(), "tower")


class TestValues:
    @each
    def test_round_trips(self, name: str) -> None:
        net, _ = STEPPED[name]
        assert eval(repr(net), vars(arch)) == net
        assert loads(dumps(net)) == net
        for same in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
            assert same == net
            assert hash(same) == hash(net)
            assert repr(same) == repr(net)

    @given(networks((3, 9, 7), heads=1, steps=True))
    def test_round_trips_at_random(self, net: Node) -> None:
        for same in (eval(repr(net), vars(arch)), loads(dumps(net)), pickle.loads(pickle.dumps(net)), copy.copy(net)):
            assert same == net
            assert hash(same) == hash(net)

    def test_a_step_is_a_value(self) -> None:
        step = From("a", "b", MEETING)
        assert step == From("a", "b", MEETING) != From("b", "a", MEETING)
        assert step != MEETING
        for same in (eval(repr(step), vars(arch)), pickle.loads(pickle.dumps(step)), copy.deepcopy(step)):
            assert same == step
            assert hash(same) == hash(step)

    def test_what_is_read_is_a_part_of_the_description(self) -> None:
        """Networks that differ in their wires alone, as a search makes them, differ, in their hashes as well."""
        nets = [Sequential(a=CONV, b=CONV, c=CONV, d=Add(*pair)) for pair in (("a", "b"), ("a", "c"), ("b", "c"))]
        assert len(set(nets)) == len(set(map(hash, nets))) == 3


class TestCalculated:
    def test_rows_of_what_runs_again(self) -> None:
        """They stand at the layers' own paths, with parameters the first time alone."""
        block = Sequential(conv=Conv2d(3, 3, padding=1), relu=ReLU())
        net = Sequential(stem=Conv2d(3, 1), block=block, again=Run("block"), third=Run("block.conv", "stem"))
        report = calculate(net, (3, 6, 4))
        assert [(row.path, row.call, row.weights, row.biases, row.macs) for row in report.rows] == [
            ("stem", 1, 9, 3, 9 * 24),
            ("block.conv", 1, 81, 3, 81 * 24),
            ("block.relu", 1, 0, 0, 0),
            ("block.conv", 2, 0, 0, 81 * 24),
            ("block.relu", 2, 0, 0, 0),
            ("block.conv", 3, 0, 0, 81 * 24),
        ]
        (sums,) = (row for row in report.blocks if row.path == "block")
        assert (sums.weights, sums.biases, sums.macs) == (81, 3, 3 * 81 * 24)
        assert report.total_params == 12 + 84
        assert [row.depth for row in report.rows] == [1, 2, 2, 3, 3, 2]

    def test_peak_memory_by_hand(self) -> None:
        """A skip lives until it is read; what is returned lives to the end; what nothing reads is freed at once."""
        item = 4 * 16
        net = Sequential(
            a=Conv2d(2, 1),  # input 1 and a 2: 3
            b=Conv2d(5, 1),  # a 2, b 5: 7, the input is freed behind a
            skip=From("a", Conv2d(3, 1)),  # a 2, b 5, skip 3: 10, then a is freed
            unread=From("b", Conv2d(1, 1)),  # b 5, skip 3, unread 1: 9
            cat=Cat("b", "skip"),  # b 5, skip 3, cat 8: 16
            end=Conv2d(1, 1),  # cat 8, end 1: 9
        )
        assert [row.live_bytes // item for row in calculate(net, (1, 4, 4)).rows] == [3, 7, 10, 9, 16, 9]

    def test_what_is_returned_lives_to_the_end(self) -> None:
        item = 4 * 16
        net = Sequential(
            early=Conv2d(2, 1),  # 1 + 2
            wide=Conv2d(7, 1),  # early 2, wide 7: 9
            end=Conv2d(1, 1),  # early 2, wide 7, end 1: 10
            out=Outputs("end", "early"),
        )
        report = calculate(net, (1, 4, 4))
        assert [row.live_bytes // item for row in report.rows] == [3, 9, 10]
        part = Sequential(net=net, tail=From("net.early", Conv2d(9, 1)))
        assert [row.live_bytes // item for row in calculate(part, (1, 4, 4)).rows] == [3, 9, 10, 11]

    def test_several_inputs_are_there_from_the_start_until_they_are_read(self) -> None:
        item = 4 * 16
        net = Sequential(a=From("input.0", Conv2d(4, 1)), b=From("input.1", Conv2d(1, 1)), end=Cat("a", "b"))
        rows = calculate(net, ((1, 4, 4), (2, 4, 4))).rows
        assert [row.live_bytes // item for row in rows] == [1 + 2 + 4, 2 + 4 + 1, 4 + 1 + 5]

    @each
    def test_stored_bytes_are_what_autograd_saves(self, name: str) -> None:
        net, sizes = STEPPED[name]
        module, images = built(net, sizes)
        assert saved_bytes(module, *images) == calculate(net, sizes, batch_size=2).totals["stored_bytes"]

    @each
    def test_macs_are_torchs(self, name: str) -> None:
        net, sizes = STEPPED[name]
        module, images = built(net, sizes)
        with FlopCounterMode(display=False) as counter:
            module(*images)
        report = calculate(net, sizes, batch_size=2)
        assert counter.get_total_flops() == 2 * 2 * (report.total_macs + report.totals["aux_macs"])


def built(net: Node, sizes: Any) -> tuple[torch.nn.Module, list[torch.Tensor]]:
    """The module in training, and two images for each input."""
    torch.manual_seed(0)
    module = build(net, sizes)
    return module, [torch.randn(2, *size) for size in (sizes if isinstance(sizes[0], tuple) else [sizes])]


ROW = Sequential(x=ReLU(), y=ReLU())


@pytest.mark.parametrize(
    "net",
    [
        Sequential(block=Sequential(a=ROW, b=Run("a"), c=ReLU()), end=Add("block.b", "block")),
        Sequential(block=Sequential(a=ROW, b=Run("a"), c=ReLU()), end=Add("block.b.x", "block")),
        Sequential(block=Sequential(conv=Conv2d(3, 1), b=Run("conv"), c=ReLU()), end=Add("block.b", "block")),
    ],
)
def test_what_runs_again_in_a_block_is_read_from_around(net: Node) -> None:
    report, priced = calculate(net, (3, 4, 4)), totals(net, (3, 4, 4))
    figures = {figure: value for figure, value in priced._asdict().items() if figure in report.totals}
    assert figures == {figure: report.totals[figure] for figure in figures}
