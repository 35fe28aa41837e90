"""Joins without a path of their own: the steps that they are, under another spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from stepped import conv
from strategies import networks

from cnnzoo import rewrites
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    Aux,
    BatchNorm2d,
    Cat,
    Concat,
    Conv2d,
    Dense,
    Difference,
    From,
    Gate,
    Identity,
    Inline,
    Linear,
    Multiply,
    Node,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
    Shortcut,
    Subtract,
    find,
    from_dict,
    remove,
    replace,
    rewrite,
    walk,
)
from cnnzoo.arch.edit import diff
from cnnzoo.arch.join import DEEPEST
from cnnzoo.calculate import calculate
from cnnzoo.errors import InvalidTypeError
from cnnzoo.pytorch.modules.build import build

SIZE = (4, 9, 7)
C, N, A = Conv2d(4, 3, padding=1), BatchNorm2d(), ReLU()
MIXER = Sequential(
    stem=C,
    mix=Inline(Residual, norm1=N, tokens=C),
    feed=Inline(Residual, norm2=N, channels=Sequential(C, A, C)),
    head=Conv2d(2, 1),
)


def flat(node: Node) -> Node:
    """The description with the steps that its inlined joins are."""
    if not isinstance(node, Sequential) or not node._groups:
        return node
    return type(node)(*node._head, **dict(node._steps()))


def test_it_is_steps() -> None:
    steps = Sequential(
        stem=C,
        norm1=N,
        tokens=C,
        mix=Add("tokens", "stem"),
        norm2=N,
        channels=Sequential(C, A, C),
        feed=Add("channels", "mix"),
        head=Conv2d(2, 1),
    )
    assert flat(MIXER) == steps != MIXER
    assert [path for path, _ in walk(MIXER)] == [path for path, _ in walk(steps)]
    assert find(MIXER, "norm2") == N
    assert MIXER.mix == Add()
    assert calculate(MIXER, SIZE).rows == calculate(steps, SIZE).rows
    assert [*build(MIXER, SIZE).state_dict()] == [*build(steps, SIZE).state_dict()]


@given(networks(SIZE, heads=1, steps=True))
def test_any_is_the_steps_that_it_is(description: Node) -> None:
    steps = flat(description)
    assert calculate(steps, SIZE).rows == calculate(description, SIZE).rows
    assert (steps == description) == (repr(steps) == repr(description))


@pytest.mark.parametrize(
    ("kind", "children", "steps"),
    [
        (Residual, {"a": C, "b": N}, {"a": C, "b": N, "m": Add("b", "input")}),
        (Residual, {}, {"m": Add("input", "input")}),
        (
            Residual,
            {"p": Shortcut(C), "a": N},
            {"p": C, "a": From("input", N), "m": Add("a", "p")},
        ),
        (Residual, {"a": N, "downsample": C}, {"a": N, "downsample": From("input", C), "m": Add("a", "downsample")}),
        (Residual, {"a": N, "downsample": None}, {"a": N, "m": Add("a", "input")}),
        (Dense, {"a": C, "b": N}, {"a": C, "b": N, "m": Cat("input", "b")}),
        (Dense, {"a": C, "p": Shortcut(A)}, {"a": C, "p": From("input", A), "m": Cat("p", "a")}),
        (Difference, {"a": C}, {"a": C, "m": Subtract("a", "input")}),
        (Difference, {"p": Shortcut(A), "a": C}, {"p": A, "a": From("input", C), "m": Subtract("a", "p")}),
        (Gate, {"a": C}, {"a": C, "m": Multiply("input", "a")}),
        (Gate, {"a": C, "b": Shortcut(N)}, {"a": C, "b": From("input", N), "m": Multiply("b", "a")}),
        (
            Concat,
            {"a": C, "c": Inline(Sequential, b=C, c=N), "d": Inline(Dense, e=C)},
            {
                "a": C,
                "b": From("input", C),
                "c": N,
                "e": From("input", C),
                "d": Cat("input", "e"),
                "m": Cat("a", "c", "d"),
            },
        ),
    ],
)
def test_every_kind(kind: Any, children: dict[str, Any], steps: dict[str, Any]) -> None:
    assert flat(Sequential(m=Inline(kind, **children))) == Sequential(**steps)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Inline(Aux), "Inline takes Residual, Concat, Dense, Collect, Gate, Difference or Sequential first"),
        (lambda: Inline(C), "Inline takes Residual, Concat, Dense, Collect, Gate, Difference or Sequential first"),
        (lambda: Inline(Residual, a=C, downsample=None, b=A), "what follows the sum of a Residual stands behind it"),
        (lambda: Inline(Sequential, a=C, b=Add("a", "input")), "steps stand in the Sequential around it"),
        (lambda: Inline(Residual, a=Add()), "Residual: 'a' is no function of one value"),
        (lambda: Concat(a=Inline(Residual, b=C)), "'a' is inlined, as children of a Sequential"),
        (lambda: Sequential(a=C, m=Inline(Residual, a=C)), "two children are named 'a'"),
        (lambda: Sequential(m=Inline(Residual, m=C)), "two children are named 'm'"),
        (lambda: Sequential(m=Inline(Sequential, a=C, b=C)), "the name 'm' is not that of its last layer, 'b'"),
        (lambda: Sequential(m=Inline(Sequential)), "the name 'm' is not its own, and it has no layer"),
        (lambda: Sequential(a=C, m=From("a", "input", Inline(Residual))), "the inlined 'm' reads 2 values"),
        (lambda: from_dict({"kind": "Inline", "join": "Residual"}), "an Inline stands in a Sequential"),
        (
            lambda: from_dict({"kind": "Sequential", "children": {"m": {"kind": "Inline", "join": "ReLU"}}}),
            "the description > m: Inline takes Residual",
        ),
    ],
)
def test_what_it_cannot_be(make: Any, problem: str) -> None:
    with pytest.raises((ShapeError, InvalidTypeError, ValueError)) as raised:
        make()
    assert problem in str(raised.value)


def test_too_deep() -> None:
    inline = Inline(Residual)
    for level in range(DEEPEST - 1):
        inline = Inline(Residual, **{f"m{level}": inline})
    with pytest.raises(ShapeError, match=f"nested more than {DEEPEST} levels"):
        Inline(Residual, last=inline)


def test_edits_keep_it_where_it_is_one() -> None:
    assert replace(MIXER, "tokens", A).mix == Add()
    assert repr(remove(MIXER, "norm1")) == repr(MIXER).replace("norm1=BatchNorm2d(), ", "")
    gone = {"norm1", "tokens"}
    only = rewrite(MIXER, lambda path, node: None if path in gone else node)
    assert only == Sequential(stem=C, mix=Inline(Residual), **dict(MIXER._said()[2:]))
    added = Sequential(a=C, m=Inline(Concat, a1=C, b2=Inline(Sequential, b1=C, b2=A)), c=C)
    assert rewrite(added, lambda path, node: None if path == "b2" else node) == Sequential(
        a=C, m=Inline(Concat, a1=C, b1=C), c=C
    )
    assert replace(added, "c", Inline(Sequential, d=C, c=A)) == Sequential(
        a=C, m=Inline(Concat, a1=C, b2=Inline(Sequential, b1=C, b2=A)), c=Inline(Sequential, d=C, c=A)
    )


def test_one_that_is_none_any_longer_is_steps() -> None:
    other = replace(MIXER, "mix", Multiply("tokens", "stem"))
    assert repr(other).count("Inline") == 1
    assert "mix=Multiply('tokens', 'stem')" in repr(other)


def test_another_spelling_is_a_difference() -> None:
    assert [change.path for change in diff(MIXER, flat(MIXER))] == [""]
    assert [change.path for change in diff(MIXER, replace(MIXER, "tokens", A))] == ["tokens"]


def test_rewrites_know_it() -> None:
    plain = Sequential(stem=C, norm1=N, tokens=C, norm2=N, channels=Sequential(C, A, C), head=Conv2d(2, 1))
    assert rewrites.drop_shortcuts(MIXER) == plain
    marked = Sequential(a=C, m=Inline(Residual, p=Shortcut(Inline(Sequential, q=C, p=A)), b=N), c=From("m", A))
    assert rewrites.drop_shortcuts(marked) == Sequential(a=C, b=N, c=A)
    squeeze = Inline(Gate, pool=AdaptiveAvgPool2d(1), fc=C)
    gated = Sequential(a=C, g=squeeze, s=Inline(Gate, f=A, h=Shortcut(N)))
    assert rewrites.drop_gates(gated) == Sequential(a=C, h=N)
    headed = Sequential(a=C, g=squeeze, aux=Aux("g", Linear(2)), c=C)
    assert rewrites.drop_gates(headed) == Sequential(a=C, g=Identity(), aux=Aux("g", Linear(2)), c=C)
    assert rewrites.drop_gates(Sequential(s=Gate(f=A, h=Shortcut(N)))) == Sequential(s=Sequential(h=N))
    branches = Sequential(m=Inline(Concat, a=C, r=Inline(Residual, b=N, c=C), s=Inline(Residual)), d=A)
    assert rewrites.drop_shortcuts(branches) == Sequential(
        m=Inline(Concat, a=C, c=Inline(Sequential, b=N, c=C), s=Identity()), d=A
    )


def test_what_is_read_by_name_stays() -> None:
    read = Sequential(block=MIXER, again=From("block.mix", C))
    new = rewrites.drop_shortcuts(read)
    assert "mix=Inline(Residual" in repr(new)
    assert "feed" not in repr(new)


def test_it_prints_as_rows_of_its_block() -> None:
    rows = [row.path for row in calculate(Sequential(conv(4, 1), block=MIXER), SIZE).rows]
    assert rows[3:7] == ["block.stem", "block.norm1", "block.tokens", "block.mix"]
