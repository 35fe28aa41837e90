"""What has no word is a foreign layer: what was measured of it, at its path, at one size."""

from __future__ import annotations

import pickle
import threading
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from traced import CONV, SIZE, Block, conv

import cnnzoo
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Cat,
    Conv2d,
    Flatten,
    Foreign,
    From,
    Identity,
    Inline,
    LayerNorm,
    LayerNorm2d,
    Linear,
    Node,
    Outputs,
    Permute,
    ReLU,
    Residual,
    Run,
    Sequential,
    ShapeError,
    Shift,
    Slice,
    dumps,
    loads,
    rewrite,
)
from cnnzoo.arch.folding import fold
from cnnzoo.calculate import calculate
from cnnzoo.errors import CnnzooError
from cnnzoo.features.check import check
from cnnzoo.features.peers import peer_numbers
from cnnzoo.pytorch.measuring.measure import measure
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.tracing import describe
from cnnzoo.report import Unknown
from cnnzoo.totals import totals

WEIGHTS = (("weight", (4, 4, 3, 3)), ("bias", (4,)))
TOKENS = (64, 4)


def tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Of queries, keys and values that one linear layer makes."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).reshape(x.shape[0], x.shape[1], 3, 2, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(query, key, value)
        return self.proj(y.transpose(1, 2).reshape(x.shape))


ATTENTION = Foreign(
    "Attention",
    TOKENS,
    TOKENS,
    parameters=(("qkv.weight", (12, 4)), ("qkv.bias", (12,)), ("proj.weight", (4, 4)), ("proj.bias", (4,))),
    measured_macs=64 * 4 * 12 + 2 * 64 * 64 * 4 + 64 * 4 * 4,
)


class Transformer(nn.Module):
    """A patch embedding, a class token, positions, two blocks and a classifier, as a vision transformer has them."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 4))
        self.pos_embed = nn.Parameter(torch.zeros(1, 17, 4))
        self.patch_embed = nn.Conv2d(3, 4, 2, stride=2)
        self.blocks = nn.Sequential(self.block(), self.block())
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 10)

    @staticmethod
    def block() -> nn.Module:
        def run(self: Any, x: Tensor) -> Tensor:
            x = x + self.attn(self.norm1(x))
            return x + self.mlp(self.norm2(x))

        mlp = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
        return Block(run, norm1=nn.LayerNorm(4), attn=Attention(), norm2=nn.LayerNorm(4), mlp=mlp)

    def forward(self, x: Tensor) -> Tensor:
        x = tokens(self.patch_embed(x))
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


BLOCK = Sequential(
    add=Inline(
        Residual,
        norm1=LayerNorm(),
        attn=Foreign(
            "Attention",
            (17, 4),
            (17, 4),
            parameters=ATTENTION.parameters,
            measured_macs=17 * 4 * 12 + 2 * 17 * 17 * 4 + 17 * 4 * 4,
        ),
    ),
    add_1=Inline(Residual, norm2=LayerNorm(), mlp=Sequential(Linear(8), ReLU(), Linear(4))),
)
TRANSFORMER = Sequential(
    patch_embed=Conv2d(4, 2, stride=2),
    flatten=Flatten(start_dim=2),
    transpose=Permute((0, 2, 1)),
    cls_token=Foreign("cat", (16, 4), (17, 4), parameters={"": (1, 1, 4)}),
    pos_embed=Shift(0.0, (1, -1, -1)),
    blocks=Sequential(BLOCK, BLOCK),
    norm=LayerNorm(),
    slice=Slice(0, 1),
    flatten_1=Flatten(),
    head=Linear(10),
)


class Windows(nn.Module):
    """Attention within windows of 4x4, each a sample of its own meanwhile, of maps whose channels are last."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = Attention()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        batch, height, width, channels = x.shape
        y = x.view(batch, height // 4, 4, width // 4, 4, channels).transpose(2, 3).reshape(-1, 16, channels)
        y = self.attn(y).view(batch, height // 4, width // 4, 4, 4, channels)
        return self.fc(x + y.transpose(2, 3).reshape(x.shape))


def masked(self: Any, x: Tensor) -> Tensor:
    seen = torch.ones(8, 8, dtype=torch.bool).tril()
    return self.conv(x) + torch.where(seen, 0.0, 1.0)


def time_major(self: Any, x: Tensor) -> Tensor:
    y = x.transpose(0, 1)
    return self.fc(self.attn(y, y, y, need_weights=False)[0].transpose(0, 1))


def through_a_view(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    y[:, :2].add_(1)
    return F.relu(y)


def output_through_a_view(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    y[:, :2].add_(1)
    return y


def set_within(self: Any, x: Tensor) -> Tensor:
    y = torch.zeros(x.shape[0], 2, 8, 8)
    y[:, 0] = self.conv(x)[:, 1]
    return y


def batch_as_positions(self: Any, x: Tensor) -> Tensor:
    return self.conv(x.flatten(0, 1).unsqueeze(1).expand(-1, 4, -1, -1)).view(x.shape[0], -1)


def table(self: Any, x: Tensor) -> Tensor:
    return x + self.mlp(self.table).view(1, 4, 8, 8)


class InThreads(nn.Module):
    """Its two branches run in threads of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(), conv()

    def forward(self, x: Tensor) -> Tensor:
        found: dict[str, Tensor] = {}

        def run(name: str) -> None:
            found[name] = getattr(self, name)(x)

        threads = [threading.Thread(target=run, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found["a"] + found["b"]


def within(run: Any, **held: Any) -> nn.Module:
    """A block of this forward, behind a convolution."""
    return nn.Sequential(conv(), Block(run, **held))


def heads(**settings: Any) -> nn.MultiheadAttention:
    return nn.MultiheadAttention(4, 2, **settings)


MULTIHEAD = {"in_proj_weight": (12, 4), "in_proj_bias": (12,), "out_proj.weight": (4, 4), "out_proj.bias": (4,)}
MULTIHEAD_MACS = ATTENTION.measured_macs


def own(name: str, **tensors: Any) -> dict[str, Any]:
    return {f"{name}.{key}": shape for key, shape in tensors.items()}


OF_CONV = dict(WEIGHTS)

CASES: dict[str, tuple[nn.Module, Any, Node]] = {
    "attention": (Attention(), TOKENS, ATTENTION),
    "a transformer": (Transformer(), (3, 8, 8), TRANSFORMER),
    "a function of one value": (
        Block(lambda self, x: F.scaled_dot_product_attention(x, x, x)),
        (2, 32, 4),
        Sequential(
            scaled_dot_product_attention=Foreign(
                "scaled_dot_product_attention", (2, 32, 4), (2, 32, 4), measured_macs=2 * 2 * 32 * 32 * 4
            )
        ),
    ),
    "torch's attention": (
        Block(lambda self, x: x + self.attn(x, x, x)[0], attn=heads(batch_first=True)),
        TOKENS,
        Residual(
            attn=Foreign("MultiheadAttention", TOKENS, TOKENS, parameters=MULTIHEAD, measured_macs=MULTIHEAD_MACS)
        ),
    ),
    "torch's attention, time first": (
        nn.Sequential(nn.Linear(4, 4), Block(time_major, attn=heads(), fc=nn.Linear(4, 3))),
        TOKENS,
        Sequential(
            Linear(4),
            Foreign(
                "Block",
                TOKENS,
                (64, 3),
                parameters=own("attn", **MULTIHEAD) | own("fc", weight=(3, 4), bias=(3,)),
                measured_macs=MULTIHEAD_MACS + 64 * 4 * 3,
            ),
        ),
    ),
    "a recurrent layer": (
        Block(lambda self, x: self.fc(self.rnn(x)[0]), rnn=nn.LSTM(4, 6, batch_first=True), fc=nn.Linear(6, 2)),
        TOKENS,
        Sequential(
            rnn=Foreign(
                "LSTM",
                TOKENS,
                (64, 6),
                parameters={
                    "weight_ih_l0": (24, 4),
                    "weight_hh_l0": (24, 6),
                    "bias_ih_l0": (24,),
                    "bias_hh_l0": (24,),
                },
                measured_macs=64 * (4 + 6) * 24,
            ),
            fc=Linear(2),
        ),
    ),
    "windows": (
        Block(lambda self, x: self.fc(self.win(x.permute(0, 2, 3, 1))), win=Windows(), fc=nn.Linear(4, 2)),
        SIZE,
        Sequential(
            permute=Permute((0, 2, 3, 1)),
            win=Foreign(
                "Windows",
                (8, 8, 4),
                (8, 8, 4),
                parameters=own("attn", **dict(ATTENTION.parameters)) | own("fc", weight=(4, 4), bias=(4,)),
                measured_macs=64 * 4 * 12 + 4 * 2 * 16 * 16 * 4 + 64 * 4 * 4 + 64 * 4 * 4,
            ),
            fc=Linear(2),
        ),
    ),
    "a mask of constants": (Block(masked, conv=conv()), SIZE, Sequential(conv=CONV, add=Foreign("add", SIZE, SIZE))),
    "a module that gives a tuple": (
        Block(
            lambda self, x: self.fc(torch.cat(self.pair(x), 1)),
            pair=Block(lambda self, x: (self.a(x).cumsum(2), self.b(x)), a=conv(), b=conv()),
            fc=nn.Conv2d(8, 2, 1),
        ),
        SIZE,
        Sequential(
            pair=Sequential(
                a=CONV,
                cumsum=Foreign("cumsum", SIZE, SIZE),
                b=From("input", CONV),
                out=Outputs("cumsum", "b"),
            ),
            cat=Cat("pair"),
            fc=Conv2d(2, 1),
        ),
    ),
    "a tuple that a function gives": (
        within(
            lambda self, x: self.fc(torch.cat(self.pair(x), 1)),
            pair=Block(lambda self, x: torch.aminmax(self.a(x), dim=1, keepdim=True), a=conv()),
            fc=nn.Conv2d(2, 2, 1),
        ),
        SIZE,
        Sequential(
            CONV,
            Foreign(
                "Block",
                SIZE,
                (2, 8, 8),
                parameters=own("pair.a", **OF_CONV) | own("fc", weight=(2, 2, 1, 1), bias=(2,)),
                measured_macs=64 * 4 * 4 * 9 + 64 * 4,
            ),
        ),
    ),
    "written over through a view": (
        within(through_a_view, conv=conv()),
        SIZE,
        Sequential(CONV, Foreign("Block", SIZE, SIZE, parameters=own("conv", **OF_CONV), measured_macs=64 * 4 * 4 * 9)),
    ),
    "an output written over through a view": (
        within(output_through_a_view, conv=conv()),
        SIZE,
        Sequential(CONV, Foreign("Block", SIZE, SIZE, parameters=own("conv", **OF_CONV), measured_macs=64 * 4 * 4 * 9)),
    ),
    "set within a constant": (
        Block(set_within, conv=conv()),
        SIZE,
        Sequential(
            conv=CONV, slice=Slice(1, 2), flatten=Flatten(end_dim=2), setitem=Foreign("setitem", (8, 8), (2, 8, 8))
        ),
    ),
    "the batch among positions": (
        Block(batch_as_positions, conv=conv()),
        SIZE,
        Foreign("Block", SIZE, (1024,), parameters=own("conv", **OF_CONV), measured_macs=4 * 64 * 4 * 4 * 9),
    ),
    "a weight that is worked out": (
        Block(lambda self, x: F.conv2d(x, 2 * self.conv.weight), conv=conv()),
        SIZE,
        Sequential(conv=Foreign("conv2d", SIZE, (4, 6, 6), parameters=WEIGHTS, measured_macs=36 * 4 * 4 * 9)),
    ),
    "the weight and the bias of two": (
        within(lambda self, x: F.conv2d(x, self.a.weight, self.b.bias), a=conv(), b=conv()),
        SIZE,
        Sequential(
            CONV,
            Foreign(
                "Block",
                SIZE,
                (4, 6, 6),
                parameters=own("a", **OF_CONV) | own("b", **OF_CONV),
                measured_macs=36 * 4 * 4 * 9,
            ),
        ),
    ),
    "modules that work on parameters": (
        within(table, mlp=nn.Linear(8, 32), table=nn.Parameter(torch.ones(8, 8))),
        SIZE,
        Sequential(
            CONV,
            Foreign(
                "Block",
                SIZE,
                SIZE,
                parameters={"table": (8, 8), **own("mlp", weight=(32, 8), bias=(32,))},
                measured_macs=8 * 8 * 32,
            ),
        ),
    ),
    "run again": (
        Block(lambda self, x: self.a(self.a(x)), a=Block(lambda self, x: self.c(x).cumsum(2), c=conv())),
        SIZE,
        Sequential(a=Sequential(c=CONV, cumsum=Foreign("cumsum", SIZE, SIZE)), a_1=Run("a")),
    ),
    "in threads": (
        nn.Sequential(conv(), InThreads()),
        SIZE,
        Sequential(
            CONV,
            Foreign(
                "InThreads",
                SIZE,
                SIZE,
                parameters=own("a", **OF_CONV) | own("b", **OF_CONV),
                unpriced=("thread",),
            ),
        ),
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CASES)
def test_what_has_no_word_is_foreign(name):
    net, size, description = CASES[name]
    before = {key: (id(one), one._version) for key, one in net.state_dict(keep_vars=True).items()}
    assert describe(net, size) == fold(description)
    assert {key: (id(one), one._version) for key, one in net.state_dict(keep_vars=True).items()} == before
    assert net.training


FIGURES = ("params", "buffers", "macs", "aux_params", "aux_macs", "aux_buffers")


@pytest.mark.parametrize("name", [name for name in CASES if name != "in threads"])
def test_its_totals_are_the_measured(name):
    net, size, description = CASES[name]
    report, measured = calculate(description, size), measure(net, input_data=torch.zeros(1, *size))
    assert {key: report.totals[key] for key in FIGURES} == {key: measured.totals[key] for key in FIGURES}
    assert report.tensors.keys() == net.state_dict().keys()


ATTEND = Foreign("Attention", (16, 8, 8), (16, 8, 8), parameters={"qkv.weight": (48, 16)}, measured_macs=5)
NET = Sequential(
    conv=Conv2d(16, 3, padding=1),
    attn=Residual(norm=LayerNorm2d(), attn=ATTEND),
    conv2=Conv2d(8, 3, padding=1),
    pool=AdaptiveAvgPool2d(1),
    flat=Flatten(),
    fc=Linear(10),
)
KNOWN = rewrite(NET, lambda path, node: Identity() if isinstance(node, Foreign) else node)
IMAGE = (3, 8, 8)


class TestReport:
    def test_what_is_not_known_is_unknown_and_what_is_known_of_it_the_least(self):
        report, rest = calculate(NET, IMAGE), calculate(KNOWN, IMAGE)
        assert report.status == "partial"
        why = "it has no word here: its other work, its memory and what it reads are unknown"
        assert report.unknown == (Unknown("attn.attn", "Attention", why),)
        assert report.totals["macs"] == rest.totals["macs"] + 5
        assert report.totals["params"] == rest.totals["params"] + 48 * 16
        for name in ("comparisons", "additions", "multiplications", "exponentials", "connections", "stored_bytes"):
            assert report.totals[name] is None
            assert report.known.get(name, 0) == rest.totals[name]
        for name in ("depth", "activations", "activation_bytes", "peak_activation_bytes", "peak_bytes"):
            assert report.totals[name] is None
            assert report.known[name] >= rest.totals[name]
        assert [row.depth for row in report.rows] == [1, 1, None, None, None, None, None, None]
        assert [row.least("depth") for row in report.rows] == [1, 1, 1, 1, 2, 2, 2, 3]
        assert [row.receptive_field for row in report.rows] == [3, 3, *[None] * 6]
        assert (report["attn"].depth, report["attn"].macs, report["attn"].additions) == (None, 5, None)

    def test_operators_without_a_price_leave_macs_unknown(self):
        description = Sequential(Conv2d(16, 3, padding=1), replace(ATTEND, unpriced=("sinkhorn",)))
        report = calculate(description, IMAGE)
        assert (report.totals["macs"], report.known["macs"]) == (None, 16 * 3 * 9 * 64 + 5)
        assert report.known["flops"] == 2 * report.known["macs"]
        assert str(report.unknown[0]).endswith("are unknown, and the MACs of sinkhorn")
        assert totals(description, IMAGE).macs is None

    def test_fast_totals_are_the_same(self):
        report, fast = calculate(NET, IMAGE), totals(NET, IMAGE)._asdict()
        assert fast.pop("output_shape") == (10,)
        assert fast == {name: report.totals[name] for name in fast}

    def test_it_is_told_in_the_table(self):
        table = str(cnnzoo.summary(NET, IMAGE))
        assert "attn Attention (foreign)" in table
        assert "Depth            at least 3 weighted layers" in table
        assert "Receptive field  unknown; at conv2, the last map" in table
        assert "at least 12.29 kB activations at the peak" in table


def test_another_size_is_refused_with_its_place():
    with pytest.raises(ShapeError, match=r"at attn\.attn: Attention .* measured at \(16, 8, 8\); \(16, 9, 9\) reaches"):
        calculate(NET, (3, 9, 9))


def test_it_cannot_be_built():
    with pytest.raises(CnnzooError, match=r"at attn\.attn: Attention has no word here, .* the module that was"):
        build(NET, IMAGE)


def test_it_is_a_value():
    assert eval(repr(NET), vars(cnnzoo.arch)) == NET
    assert loads(dumps(NET)) == NET
    assert pickle.loads(pickle.dumps(NET)) == NET
    assert hash(loads(dumps(ATTEND))) == hash(ATTEND)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"operation": "a b"}, "operation must be a name"),
        ({"takes": (4.0,)}, "takes must be a shape"),
        ({"parameters": (("weight", 4),)}, "parameters must be pairs of a name and a shape"),
        ({"parameters": ("weight",)}, "parameters must be pairs of a name and a shape"),
        ({"parameters": (("a", (1,)), ("a", (1,)))}, "parameters must be pairs of names that differ"),
        ({"measured_macs": -1}, "measured_macs must be a whole number of at least 0"),
        ({"unpriced": "sinkhorn"}, "unpriced must be names"),
    ],
)
def test_its_settings_are_held_to_rules(settings, problem):
    with pytest.raises(ShapeError, match=f"Foreign: {problem}"):
        replace(ATTEND, **settings)


UNPRICED = rewrite(NET, lambda path, node: replace(node, unpriced=("sinkhorn",)) if node == ATTEND else node)


class TestFeatures:
    """Each takes a description with what is foreign, and says what it cannot say."""

    def test_explain(self):
        found = dict(cnnzoo.explain(NET, "attn.attn", input_size=IMAGE).said)
        assert found["Unknown"] == ATTEND.why
        assert found["Measured"] == "Attention: its tensors and its MACs are those of a run at 16·8·8"
        assert dict(cnnzoo.explain(NET, "fc", input_size=IMAGE).said)["Receptive field"] == (
            "unknown: attn.attn (Attention) has no word here"
        )
        assert "≥ 5" in str(cnnzoo.explain(UNPRICED, "attn", input_size=IMAGE))

    @pytest.mark.parametrize("kind", ["graph", "volumes", "bars"])
    @pytest.mark.parametrize("description", [NET, UNPRICED], ids=["priced", "unpriced"])
    def test_draw(self, kind, description):
        assert cnnzoo.draw(description, kind, input_size=IMAGE).to("dot" if kind == "graph" else "svg")

    def test_a_field_that_is_not_known_is_not_drawn(self):
        with pytest.raises(CnnzooError, match="no receptive field is known in this network, so none can be drawn"):
            cnnzoo.draw(NET, "field", input_size=IMAGE).to("svg")

    def test_savings(self):
        saved = cnnzoo.savings(NET, by="drop_shortcuts", input_size=IMAGE)
        assert saved.total.macs == calculate(NET, IMAGE).total_macs
        with pytest.raises(CnnzooError, match="not all of its MACs are known"):
            cnnzoo.savings(UNPRICED, by="drop_shortcuts", input_size=IMAGE)

    def test_compare_and_diff(self):
        assert "Attention at attn.attn" in str(cnnzoo.compare(NET, KNOWN, input_size=IMAGE))
        changes = cnnzoo.diff(NET, KNOWN, input_size=IMAGE)
        assert "Attention at attn.attn" in str(changes)

    def test_check(self):
        found = check(NET, IMAGE)
        assert (found.agrees, found.figures) == (False, 0)
        assert "it cannot be built: at attn.attn: Attention has no word here" in str(found.problem)

    def test_peers(self):
        numbers = peer_numbers(calculate(NET, IMAGE))
        assert {one.figure for one in numbers} == {None}
        assert sum("there is no rule for its Foreign" in one.why for one in numbers) == len(numbers) - 1

    def test_rewrites(self):
        wider = cnnzoo.summary(NET, IMAGE, rewrites=["scale_width=2"])
        assert wider.status == "partial"
        described = cnnzoo.describe(Attention(), TOKENS, rewrites=["drop_shortcuts"])
        assert described == ATTENTION
