"""Descriptions are values: comparable, printable, storable, edited by functions, and impossible ones are refused."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import re
import sys
from typing import Any

import pytest
import strategies
from hypothesis import example, given
from hypothesis import strategies as st

import cnnzoo
from cnnzoo import arch
from cnnzoo.arch import (
    Aux,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dense,
    Flatten,
    FormatError,
    Linear,
    MaxPool2d,
    PadChannels,
    PathError,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
    diff,
    dumps,
    find,
    loads,
    remove,
    replace,
    rewrite,
    to_dict,
    walk,
)
from cnnzoo.arch.join import Join
from cnnzoo.arch.node import Layer, Node, layer
from cnnzoo.arch.serial import DEEPEST
from cnnzoo.calculate import calculate

VOCABULARY = {name: getattr(arch, name) for name in arch.__all__}

NET = Sequential(
    stem=Sequential(conv=Conv2d(8, 3, padding=1), relu=ReLU()),
    block=Residual(conv1=Conv2d(8, 3, padding=1), downsample=Sequential(Conv2d(8, 1)), relu=ReLU()),
    mixed=Concat(branch1=Conv2d(4, 1), branch2=Conv2d(4, 3, padding=1)),
    head=Aux("stem", flatten=Flatten(), fc=Linear(10)),
    flatten=Flatten(),
    fc=Linear(10),
)


@pytest.fixture(params=cnnzoo.list_models())
def network(request: pytest.FixtureRequest) -> Node:
    return cnnzoo.get_builder(request.param).describe()


# Values


def check_value(node: Node) -> None:
    for same in (
        eval(repr(node), dict(VOCABULARY)),
        loads(dumps(node)),
        loads(dumps(node, indent=None)),
        pickle.loads(pickle.dumps(node)),
        copy.copy(node),
        copy.deepcopy(node),
    ):
        assert same == node
        assert hash(same) == hash(node)
        assert repr(same) == repr(node)
        assert list(walk(same)) == list(walk(node))  # the same children in the same order
    assert json.loads(dumps(node)) == json.loads(json.dumps(to_dict(node)))


@given(strategies.descriptions())
@example(Sequential(**{"0": ReLU(), "2": Flatten()}, relu=ReLU()))
@example(Sequential(relu=ReLU(), **{"1": Flatten()}))
@example(Residual(ReLU(), downsample=Flatten(), **{"2": ReLU(), "class": ReLU()}))
@example(Residual(Sequential(), downsample=Flatten(), end=Sequential()))
@example(Aux("a b", **{"'": ReLU()}))
def test_a_description_survives_its_repr_json_pickle_and_copies(node: Node) -> None:
    check_value(node)


@pytest.mark.wide
def test_every_network_survives_its_repr_json_pickle_and_copies(network: Node) -> None:
    check_value(network)


@given(strategies.descriptions(), strategies.descriptions())
def test_two_descriptions_are_equal_exactly_if_they_read_the_same(one: Node, other: Node) -> None:
    assert (one == other) == (repr(one) == repr(other)) == (dumps(one) == dumps(other))
    assert one != other or hash(one) == hash(other)


def test_every_network_is_another_value() -> None:
    networks = {name: cnnzoo.get_builder(name).describe() for name in cnnzoo.list_models()}
    assert len(set(networks.values())) == len(networks)


@given(strategies.descriptions())
def test_nothing_can_be_set_on_a_description_or_taken_from_it(node: Node) -> None:
    before = repr(node)
    for _, part in walk(node):
        for name in ("kernel_size", "children", "relu", "new"):
            with pytest.raises(AttributeError):
                setattr(part, name, 1)
            with pytest.raises(AttributeError):
                delattr(part, name)
    assert repr(node) == before


def test_a_setting_has_one_form_however_it_was_spelled() -> None:
    same = Conv2d(8, 3, stride=2, padding=1)
    assert {
        same,
        Conv2d(8, (3, 3), stride=(2, 2), padding=[1, 1]),
        Conv2d(out_channels=8, kernel_size=3, padding=1, stride=2),
    } == {same}
    assert repr(same) == "Conv2d(8, 3, stride=2, padding=1)"
    assert MaxPool2d(3) == MaxPool2d(3, stride=3) != MaxPool2d(3, stride=2)
    assert BatchNorm2d(eps=1) == BatchNorm2d(eps=1.0)
    assert arch.AdaptiveAvgPool2d((None, None)) != arch.AdaptiveAvgPool2d((None, 1))
    assert repr(arch.AdaptiveAvgPool2d((7, 7))) == "AdaptiveAvgPool2d(7)"
    assert repr(Linear(10)) == "Linear(10)"
    assert repr(ReLU()) == "ReLU()"


def test_a_layer_is_never_equal_to_one_of_another_kind() -> None:
    assert len({ReLU(), arch.Sigmoid(), arch.Tanh(), arch.Identity(), Sequential(), Residual(), Dense()}) == 7
    assert ReLU() != "ReLU()"
    assert Sequential(ReLU()) != Concat(ReLU())
    assert Aux("a", ReLU()) != Aux("b", ReLU())


def test_children_are_attributes_items_and_a_sequence() -> None:
    assert NET.stem.conv is NET[0][0] is find(NET, "stem.conv")
    assert NET.block.downsample[0] == Conv2d(8, 1)
    assert [*NET.mixed] == [Conv2d(4, 1), Conv2d(4, 3, padding=1)]
    assert (len(NET), bool(Sequential())) == (6, True)
    assert NET[:1] == Sequential(stem=NET.stem)
    assert Sequential(ReLU(), Flatten())[1:] == Sequential(**{"1": Flatten()})  # names persist
    assert {"stem", "fc", "flow"} <= set(dir(NET))
    with pytest.raises(AttributeError, match="Sequential has no child 'stam'; its children are stem, block"):
        _ = NET.stam


def test_the_plain_shortcut_may_be_said_or_left_out() -> None:
    body = {"conv": Conv2d(8, 3, padding=1)}
    assert Residual(**body) == Residual(**body, downsample=None) == Residual(**body, downsample=Sequential())
    assert Residual(**body, downsample=None, relu=ReLU()) != Residual(**body, relu=ReLU())
    assert repr(Residual(**body)) == "Residual(conv=Conv2d(8, 3, padding=1))"
    assert repr(Residual(ReLU(), downsample=None, relu=ReLU())) == "Residual(ReLU(), downsample=None, relu=ReLU())"


# What cannot be


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([ReLU()], r"got a list: Sequential\(\*children\) takes them by position"),
        ({"relu": ReLU()}, r"got a dict: Sequential\(\*\*children\) takes them by name"),
        (ReLU, r"got the class ReLU: ReLU\(…\) makes one"),
        ("relu", "got 'relu'"),
    ],
)
def test_what_is_no_child_is_told_how_one_is_given(given: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^Sequential: child '0' must be a layer or a join, {message}$"):
        Sequential(given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sequential(**{"a.b": ReLU()}), "a child cannot be named 'a.b'"),
        (lambda: Sequential(**{"": ReLU()}), "a child cannot be named ''"),
        (lambda: Sequential(**{"a\nb": ReLU()}), r"a child cannot be named 'a\\nb'"),
        (lambda: Sequential(__x=ReLU()), "a child cannot be named '__x'"),
        (lambda: Sequential(flow=ReLU()), "a child cannot be named 'flow': modules have an attribute of that name"),
        (lambda: Sequential(training=ReLU()), "a child cannot be named 'training': modules have an attribute of that"),
        (
            lambda: Sequential(a=ReLU(), logits=Aux("a")),
            "an auxiliary head cannot be named 'logits': its name is a field",
        ),
        (lambda: Sequential(ReLU(), Aux("0")), "an auxiliary head cannot be named '1'.*; say aux1=Aux"),
        (lambda: Sequential(a=ReLU(), **{"class": Aux("a")}), "an auxiliary head cannot be named 'class'"),
        (
            lambda: Sequential(b=Sequential(a=ReLU(), h=Aux("a"))),
            "'b' has the auxiliary head 'h'; heads stand in the out",
        ),
        (
            lambda: Residual(b=Sequential(a=ReLU(), h=Aux("a"))),
            "'b' has the auxiliary head 'h'; heads stand in the out",
        ),
        (lambda: Aux("a", source=ReLU()), "a child cannot be named 'source'"),
        (lambda: Sequential(ReLU(), **{"0": ReLU()}), "two children are named '0'"),
        (lambda: Concat(), "Concat: needs at least one branch"),
        (lambda: Concat(None), "Concat: needs at least one branch"),
        (lambda: Sequential(a=ReLU(), h=Aux("b", ReLU())), r"'h' hangs on 'b', which is none of .* before it \(a\)"),
        (lambda: Sequential(h=Aux("a", ReLU()), a=ReLU()), r"'h' hangs on 'a', which is none of .* before it \(none\)"),
        (lambda: Sequential(a=ReLU(), h=Aux("a"), i=Aux("h")), r"'i' hangs on 'h', which is none of .* \(a\)"),
        (lambda: Residual(a=ReLU(), h=Aux("a", ReLU())), "'h' belongs into a Sequential, beside its source"),
        (lambda: Concat(a=ReLU(), h=Aux("a", ReLU())), "'h' belongs into a Sequential, beside its source"),
        (lambda: Dense(a=ReLU(), h=Aux("a", ReLU())), "'h' belongs into a Sequential, beside its source"),
        (lambda: Conv2d(8, 0), r"Conv2d: kernel_size must be a whole number of at least 1 or a pair of them, got 0"),
        (lambda: Conv2d(0, 1), "Conv2d: out_channels must be a whole number of at least 1, got 0"),
        (lambda: Conv2d(8, True), "kernel_size must be .* got True"),
        (lambda: Conv2d(8, 3, bias=1), "bias must be True or False, got 1"),
        (lambda: Conv2d(8, 3, groups=3), "groups=3 does not divide 8 output channels"),
        (lambda: Conv2d(8, 3, stride=2, padding="same"), "padding='same' goes with stride 1, got stride 2"),
        (lambda: Conv2d(8, 3, padding="full"), "padding must be .* or 'same' or 'valid', got 'full'"),
        (lambda: Conv2d(8, (3, None)), r"kernel_size must be .* got \(3, None\)"),
        (lambda: arch.AdaptiveAvgPool2d((3, 0)), r"output_size must be .* got \(3, 0\)"),
        (lambda: arch.ScaleShift((), ()), r"scale must be a number for each channel, got \(\)"),
        (lambda: arch.Dropout(1.5), "p must be a probability, got 1.5"),
        (lambda: arch.Dropout(float("nan")), "p must be a probability, got nan"),
        (lambda: BatchNorm2d(eps=0), "eps must be a number above 0, got 0"),
        (lambda: BatchNorm2d(eps=float("inf")), "eps must be a number above 0, got inf"),
        (lambda: arch.ScaledTanh(float("inf")), "amplitude must be a number, got inf"),
    ],
)
def test_what_cannot_be_is_a_shape_error_that_says_what_would(make: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        make()


@pytest.mark.parametrize("child", [3, "ReLU", ReLU, {}, [ReLU()]])
def test_what_is_no_layer_is_no_child(child: Any) -> None:
    with pytest.raises(TypeError, match="child 'a' must be a layer or a join, got"):
        Sequential(a=child)


def test_arguments_that_do_not_fit_are_said_with_the_reason_if_there_is_one() -> None:
    with pytest.raises(TypeError, match=r"got \(8, 3, dtype=1\); the dtype is said when a module is built$"):
        Conv2d(8, 3, dtype=1)
    with pytest.raises(TypeError, match=r"got \(8, 3, bias=False, colour=1\)$"):
        Conv2d(8, 3, bias=False, colour=1)
    with pytest.raises(TypeError, match=r"got \(bias=False\); weight and bias go together"):
        BatchNorm2d(bias=False)


def test_an_auxiliary_head_names_its_source() -> None:
    with pytest.raises(TypeError, match="source must be the name of an earlier child, got 5"):
        Aux(5, ReLU())  # type: ignore[arg-type]


# JSON


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: not JSON"),
        ('{"kind": "ReLU"', "line 1, column 16: not JSON"),
        ('{\n"kind": ReLU}', "line 2, column 9: not JSON"),
        ("null", 'the description: an object with a "kind" was expected, got None'),
        ("[]", 'the description: an object with a "kind" was expected'),
        ('"ReLU()"', 'the description: an object with a "kind" was expected'),
        ("{}", 'the description: an object with a "kind" was expected'),
        ('{"kind": ["ReLU"]}', 'the description: an object with a "kind" was expected'),
        ('{"kind": "relu"}', "the description: there is no layer or join 'relu'"),
        ('{"kind": "Layer"}', "the description: there is no layer or join 'Layer'"),
        ('{"kind": "Join"}', "the description: there is no layer or join 'Join'"),
        ('{"kind": "_Pool2d", "kernel_size": 2}', "there is no layer or join '_Pool2d'"),
        ('{"kind": "Node"}', "there is no layer or join 'Node'"),
        ('{"kind": "ShapeError"}', "there is no layer or join 'ShapeError'"),
        ('{"kind": "__import__"}', "there is no layer or join '__import__'"),
        ('{"kind": "os.system"}', "there is no layer or join 'os.system'"),
        ('{"kind": "ReLU", "inplace": true}', "the description: ReLU has no setting 'inplace'"),
        ('{"kind": "ReLU", "_set": 1}', "the description: ReLU has no setting '_set'"),
        ('{"kind": "ReLU", "a\\nb": 1}', r"the description: ReLU has no setting 'a\\nb'"),
        ('{"kind": "Conv2d", "out_channels": 8}', "the description: Conv2d needs a setting 'kernel_size'"),
        ('{"kind": "Linear", "out_features": "8"}', "the description: Linear: out_features must be a whole number"),
        ('{"kind": "Linear", "out_features": 8.0}', "the description: Linear: out_features must be a whole number"),
        ('{"kind": "Linear", "out_features": true}', "the description: Linear: out_features must be a whole number"),
        ('{"kind": "Linear", "out_features": null}', "the description: Linear: out_features must be a whole number"),
        ('{"kind": "Linear", "out_features": {"a": 1}}', "the description: Linear: out_features must be"),
        ('{"kind": "Linear", "out_features": ' + "9" * 5000 + "}", "not JSON: .*digits"),
        ('{"kind": "Dropout", "p": NaN}', "the description: Dropout: p must be a probability"),
        ('{"kind": "ScaledTanh", "slope": Infinity}', "the description: ScaledTanh: slope must be a number"),
        ('{"kind": "MaxPool2d", "kernel_size": [2, 2, 2]}', "the description: MaxPool2d: kernel_size must be"),
        ('{"kind": "TableConv2d", "table": [[{}]], "kernel_size": 1}', "the description: TableConv2d: table must"),
        ('{"kind": "Sequential", "children": []}', 'the description: "children" must be an object, got \\[\\]'),
        ('{"kind": "Sequential", "source": "a"}', "the description: Sequential has no setting 'source'"),
        ('{"kind": "Sequential", "layers": {}}', "the description: Sequential has no setting 'layers'"),
        ('{"kind": "Aux"}', "the description: Aux needs a setting 'source'"),
        ('{"kind": "Aux", "source": ["a"]}', "the description: Aux: source must be the name of an earlier child"),
        ('{"kind": "Concat"}', "the description: Concat: needs at least one branch"),
        ('{"kind": "Sequential", "children": {"a": {"kind": "Aux", "source": "b"}}}', "hangs on 'b'"),
        ('{"kind": "Sequential", "children": {"a.b": {"kind": "ReLU"}}}', "a child cannot be named 'a.b'"),
        ('{"kind": "Sequential", "children": {"_hash": {"kind": "ReLU"}}}', "a child cannot be named '_hash'"),
        ('{"kind": "Sequential", "children": {"a": {}, "a": {}}}', "the name 'a' stands twice in one object"),
        ('{"kind": "ReLU", "kind": "ReLU"}', "the name 'kind' stands twice in one object"),
        (
            '{"kind": "Sequential", "children": {"a": {"kind": "Dense", "children": {"b": 7}}}}',
            "description > a > b: an",
        ),
        ('{"kind": "Sequential", "children": {"a\\nb": 7}}', r"the description > 'a\\nb': an object"),
    ],
)
def test_what_is_no_description_is_refused_in_one_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        loads(text)
    assert len(str(caught.value).splitlines()) == 1


def test_a_setting_of_a_layer_of_ones_own_is_read_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Node, "kinds", dict(Node.kinds))

    @layer
    class Listed(Layer):
        places: tuple[Any, ...]

    assert loads(dumps(Listed((1, (2, 3))))) == Listed((1, (2, 3)))


def nested(levels: int) -> str:
    return '{"kind": "Sequential", "children": {"0": ' * levels + '{"kind": "ReLU"}' + "}}" * levels


def test_nesting_ends_somewhere_and_what_is_read_can_be_used() -> None:
    node = loads(nested(DEEPEST))
    check_value(node)
    assert len(calculate(node, (3, 4, 4)).blocks) == DEEPEST
    for levels in (DEEPEST + 1, 1000, 100_000):
        with pytest.raises(FormatError, match=f"^nested more than {DEEPEST} levels deep, which is no description$"):
            loads(nested(levels))
    with pytest.raises(FormatError, match=f"nested more than {DEEPEST} levels deep"):
        loads("[" * 100_000)
    with pytest.raises(ShapeError, match=f"Dense: nested more than {DEEPEST} levels deep"):
        Dense(node)


def read(text: str) -> Node | str:
    """The description, or the one line that says why it is none."""
    try:
        return loads(text)
    except FormatError as error:
        (line,) = str(error).splitlines()
        return line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([*Node.kinds]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "children", "source", "kernel_size", "p", "a", "0"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(
    JSON | st.fixed_dictionaries({"kind": st.sampled_from([*Node.kinds]), "children": st.dictionaries(st.text(), JSON)})
)
def test_any_json_is_a_description_or_a_format_error(data: Any) -> None:
    node = read(json.dumps(data))
    assert isinstance(node, str) or loads(dumps(node)) == node


@given(strategies.descriptions(), st.data())
def test_a_spoiled_text_is_a_description_or_a_format_error(node: Node, data: st.DataObject) -> None:
    text = dumps(node, indent=None)
    at = data.draw(st.integers(0, len(text) - 1))
    spoiled = text[:at] + data.draw(st.text(max_size=2)) + text[at + data.draw(st.integers(0, 3)) :]
    found = read(spoiled)
    if isinstance(found, Node):
        check_value(found)


AUDITED: list[str] | None = None
"""What Python is asked to compile, run, import or open, while this is a list."""


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if AUDITED is not None and event in ("compile", "exec", "import", "open"):
        AUDITED.append(f"{event} {args[0]!r}")


sys.addaudithook(_audit)


def test_reading_a_description_executes_imports_and_opens_nothing(network: Node) -> None:
    global AUDITED
    text = dumps(network)
    AUDITED = audited = []
    try:
        same = loads(text)
        with contextlib.suppress(FormatError):
            loads('{"kind": "os.system", "children": {"0": {"kind": "__import__(\'os\')"}}}')
    finally:
        AUDITED = None
    assert audited == []
    assert same == network


def test_the_audit_would_see_an_execution() -> None:
    global AUDITED
    AUDITED = audited = []
    try:
        eval("1")
    finally:
        AUDITED = None
    assert audited


# Editing by path


@given(strategies.descriptions())
def test_every_node_is_found_at_its_path_and_walking_meets_parents_first(node: Node) -> None:
    seen: set[str] = set()
    for path, part in walk(node):
        assert find(node, path) is part
        assert path not in seen
        assert not path or path.rpartition(".")[0] in seen
        seen.add(path)


@given(strategies.descriptions(), st.data())
def test_replacing_changes_one_place_and_leaves_the_original_as_it_was(node: Node, data: st.DataObject) -> None:
    before = repr(node)
    path = data.draw(st.sampled_from([path for path, _ in walk(node)]))
    old = find(node, path)
    new = old if isinstance(old, Aux) else arch.PadChannels(1234)  # a head may hang on what stood there
    after = replace(node, path, new)
    assert repr(node) == before
    assert find(after, path) == new
    assert replace(after, path, old) == node
    elsewhere = [(own, part) for own, part in walk(node) if not _related(own, path)]
    assert elsewhere == [(own, part) for own, part in walk(after) if not _related(own, path)]
    assert diff(node, after) == ([] if old == new else [(path, old, new)])


def _related(one: str, other: str) -> bool:
    """Whether one is in the other, or is it."""
    parts = [path.split(".") if path else [] for path in (one, other)]
    return all(a == b for a, b in zip(*parts, strict=False))


@given(strategies.descriptions(), st.data())
def test_removing_takes_one_place_out_or_says_why_it_cannot(node: Node, data: st.DataObject) -> None:
    before = repr(node)
    path = data.draw(st.sampled_from([path for path, _ in walk(node) if path] or ["none"]))
    parent_path, _, name = path.rpartition(".")
    parent = find(node, parent_path)
    names = [own for own, _ in parent.children] if isinstance(parent, Join) else []
    sources = [child.source for child in (parent if names else ()) if isinstance(child, Aux)]
    if not names:
        with pytest.raises(PathError, match="has no children"):
            remove(node, path)
    elif name in sources or (isinstance(parent, Concat) and len(names) == 1):
        with pytest.raises(ShapeError) as caught:
            remove(node, path)
        assert caught.value.place == parent_path
    else:
        after = remove(node, path)
        left = [own for own, _ in find(after, parent_path).children]
        kept = [own for own in names if own != name]
        if name == "downsample":  # a shortcut cannot be missing; it is plain, where it was
            assert left == names
            assert find(after, path) == Sequential()
        elif isinstance(parent, Residual) and name == parent._shortcut:
            assert left == [*kept, "downsample"]
            assert parent._shortcut not in left
        else:
            assert left == kept
    assert repr(node) == before


def test_the_description_itself_cannot_be_removed() -> None:
    with pytest.raises(PathError, match="the description itself cannot be removed"):
        remove(NET, "")


@given(strategies.descriptions())
def test_an_identity_rewrite_returns_its_argument(node: Node) -> None:
    visited: list[str] = []

    def same(path: str, part: Node) -> Node:
        visited.append(path)
        return part

    assert rewrite(node, same) is node
    assert sorted(visited) == sorted(path for path, _ in walk(node))
    assert visited[-1] == ""  # children first


@given(strategies.descriptions())
def test_a_rewrite_reaches_every_layer_and_keeps_every_path(node: Node) -> None:
    def widen(path: str, part: Node) -> Node:
        return arch.Tanh() if part == ReLU() else part

    before = repr(node)
    after = rewrite(node, widen)
    assert after is not None
    assert [path for path, _ in walk(after)] == [path for path, _ in walk(node)]
    assert repr(node) == before
    assert repr(after) == re.sub(r"\bReLU\(\)", "Tanh()", before)
    assert (after is node) == (repr(after) == before)


def test_a_rewrite_to_none_removes_and_leaves_shortcuts_where_they_were() -> None:
    after = rewrite(NET, lambda path, part: None if isinstance(part, Conv2d) and path.startswith("block") else part)
    assert after == replace(NET, "block", Residual(downsample=None, relu=ReLU()))
    assert remove(NET, "block.downsample").block == Residual(
        conv1=Conv2d(8, 3, padding=1), downsample=None, relu=ReLU()
    )
    assert rewrite(NET.stem, lambda path, part: None) is None


def test_edits_of_a_network_leave_the_registered_one_as_it_was(network: Node) -> None:
    assert isinstance(network, Join)
    before = dumps(network)
    paths = [path for path, part in walk(network) if isinstance(part, arch.Layer)]
    assert rewrite(network, lambda path, part: part) is network
    for path in (paths[0], paths[len(paths) // 2], paths[-1]):
        assert find(replace(network, path, PadChannels(9999)), path) == PadChannels(9999)
    assert dumps(network) == before


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("blok", "there is no 'blok'; did you mean block?"),
        ("block.conv2", "at block: there is no 'conv2'; did you mean conv1?"),
        ("mixed.x", "at mixed: there is no 'x'; there are branch1, branch2"),
        ("stem.conv.weight", "at stem.conv: Conv2d has no children, so there is no 'weight' in it"),
        ("stem..conv", "at stem: there is no ''; there are conv, relu"),
        ("block.downsample.1", "at block.downsample: there is no '1'; there are 0"),
    ],
)
def test_a_path_that_leads_nowhere_names_its_missing_part_and_what_is_there(path: str, message: str) -> None:
    for edit in (find, remove, lambda net, where: replace(net, where, ReLU())):
        with pytest.raises(PathError) as caught:
            edit(NET, path)
        assert str(caught.value) == message


def test_an_edit_that_cannot_be_names_the_place() -> None:
    with pytest.raises(ShapeError, match=r"^Sequential: the auxiliary head 'head' hangs on 'stem'"):
        remove(NET, "stem")
    inside = Sequential(outer=Sequential(inner=remove(NET, "head")))
    with pytest.raises(ShapeError, match=r"^at outer: Sequential: 'inner' has the auxiliary head 'head'"):
        replace(inside, "outer.inner", NET)
    with pytest.raises(ShapeError, match=r"^at outer\.inner\.mixed: Concat: needs at least one branch"):
        rewrite(inside, lambda path, part: None if ".branch" in path else part)
    with pytest.raises(ShapeError, match=r"^at block: Residual: the auxiliary head 'conv1' belongs into a Sequential"):
        replace(NET, "block.conv1", Aux("x"))


@given(strategies.descriptions(), strategies.descriptions())
def test_a_diff_is_empty_exactly_for_equals_and_names_what_differs(before: Node, after: Node) -> None:
    changes = diff(before, after)
    assert (not changes) == (before == after)
    for path, old, new in changes:
        for node, part in ((before, old), (after, new)):
            if part is None:
                with pytest.raises(PathError):
                    find(node, path)
            else:
                assert find(node, path) == part
    assert {(path, new, old) for path, old, new in changes} == set(diff(after, before))


def test_a_diff_names_the_smallest_subtrees() -> None:
    after = replace(remove(NET, "mixed.branch2"), "block.conv1", Conv2d(8, 5, padding=2))
    assert diff(NET, after) == [
        ("block.conv1", Conv2d(8, 3, padding=1), Conv2d(8, 5, padding=2)),
        ("mixed.branch2", Conv2d(4, 3, padding=1), None),
    ]
    assert diff(Sequential(a=ReLU(), b=Flatten()), Sequential(b=Flatten(), a=ReLU())) == [
        ("", Sequential(a=ReLU(), b=Flatten()), Sequential(b=Flatten(), a=ReLU()))
    ]
