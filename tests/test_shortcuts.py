"""The child of a Residual or a Gate that is marked as its shortcut: the same block under any name and in any order."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import cnnzoo
from cnnzoo import rewrites
from cnnzoo.arch import BatchNorm2d, Conv2d, Gate, Node, Residual, Sequential, ShapeError, Shortcut, from_dict
from cnnzoo.arch.ends import cut
from cnnzoo.calculate import calculate
from cnnzoo.errors import InvalidTypeError
from cnnzoo.features.explain import explain
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.init import zero_residuals

SIZE = (4, 9, 7)
A, B, P = Conv2d(6, 3, padding=1), BatchNorm2d(), Sequential(Conv2d(6, 1), BatchNorm2d())
FIRST = Residual(proj=Shortcut(P), a=A, b=B)
LAST = Residual(a=A, b=B, downsample=P)


def test_it_is_the_shortcut_of_torchvision_s_form_in_another_order() -> None:
    net, other = build(FIRST, SIZE).eval(), build(LAST, SIZE).eval()
    assert [name for name, _ in net.named_children()] == ["proj", "a", "b"]
    other.load_state_dict({name.replace("proj", "downsample"): value for name, value in net.state_dict().items()})
    x = torch.rand(2, *SIZE)
    assert torch.equal(net(x), other(x))
    one, two = (calculate(node, SIZE).totals for node in (FIRST, LAST))
    assert {name for name in one if one[name] != two[name]} <= {"peak_bytes", "peak_activation_bytes"}


def test_a_gate_of_two_factors_sees_what_both_see() -> None:
    def field(**children: Any) -> int:
        found = calculate(Gate(**children), SIZE).totals["receptive_field"]
        assert isinstance(found, int)
        return found

    wide = Sequential(Conv2d(4, 3, padding=1), Conv2d(4, 3, padding=1))
    assert field(a=wide, b=Shortcut(Conv2d(4, 3, padding=1))) == field(a=Conv2d(4, 3, padding=1), b=Shortcut(wide)) == 5
    assert field(a=wide) == 1


def test_one_that_runs_last_under_the_name_of_downsample_needs_no_mark() -> None:
    assert Residual(a=A, downsample=Shortcut(P)) == Residual(a=A, downsample=P)
    assert "downsample=Shortcut(" in repr(Residual(downsample=Shortcut(P), a=A))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Residual(a=Shortcut(A), b=Shortcut(A)), "Residual: 'a' and 'b' are shortcuts; it has one"),
        (
            lambda: Residual(a=Shortcut(A), downsample=A),
            "Residual: 'downsample' is a shortcut, and so is the child that is marked; it has one",
        ),
        (
            lambda: Sequential(a=Shortcut(A)),
            "Sequential: child 'a' must be a layer or a join, got a shortcut, which a Residual, a Gate, a Dense or a "
            "Difference has",
        ),
        (lambda: Shortcut(None), "Shortcut takes a layer or a join, got None"),  # type: ignore[arg-type]
        (
            lambda: from_dict({"kind": "Residual", "children": {"a": {"kind": "ReLU", "shortcut": 1}}}),
            "the description > a: ReLU has no setting 'shortcut'",
        ),
    ],
)
def test_what_it_cannot_be(make: Any, problem: str) -> None:
    with pytest.raises((ShapeError, InvalidTypeError, ValueError)) as raised:
        make()
    assert str(raised.value) == problem


@pytest.mark.parametrize("block", [FIRST, LAST], ids=["marked", "downsample"])
def test_rewrites_and_starts_know_it(block: Node) -> None:
    net = Sequential(stem=A, block=block)
    assert rewrites.drop_shortcuts(net) == Sequential(stem=A, block=Sequential(a=A, b=B))
    assert cut(net, "block.a") == Sequential(stem=A, block=Sequential(a=A))
    assert cut(net, f"block.{block._shortcut}.0") in [  # type: ignore[attr-defined]
        Sequential(stem=A, block=Sequential(**{name: Sequential(P[0])})) for name in ("proj", "downsample")
    ]
    module = build(net, SIZE)
    zero_residuals(module)
    assert not module.block.b.weight.any()
    assert module.block.get_submodule(block._shortcut)[1].weight.all()  # type: ignore[attr-defined, index]


def test_a_stage_of_blocks_with_it_grows() -> None:
    plain = Residual(a=A, b=B)
    stage = Sequential(Residual(proj=Shortcut(P), a=A, b=B), plain)
    assert rewrites.scale_depth(stage, 2.0) == Sequential(FIRST, plain, plain, plain)


def test_explain_says_what_meets() -> None:
    said = str(explain(calculate(FIRST, SIZE), ""))
    assert "6x9x7 + 6x9x7, element by element" in said


def test_a_plain_one_has_no_module() -> None:
    net = Residual(a=Conv2d(4, 1), proj=Shortcut(Sequential()))
    assert [name for name, child in build(net, SIZE).named_children() if child is not None] == ["a"]
    assert cnnzoo.summary(net, input_size=SIZE).totals["params"] == 20
