"""Any module measured: right, or declared unknown, on small modules with answers worked out by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
import torch
from cases import CASES, IMAGE, measured, of, state
from jsonschema import Draft202012Validator
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention.flex_attention import flex_attention

import cnnzoo
from cnnzoo.pytorch.measuring.measure import MeasureError, PartialError, ValuesNeededError, measure

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")

VALIDATOR = Draft202012Validator(json.loads(files("cnnzoo").joinpath("schema.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", CASES)
def test_parameters_and_macs_are_those_by_hand(name: str) -> None:
    case = CASES[name]
    report = measured(case)
    assert (report.total_params, report.total_macs, report.unknown) == (case.params, case.macs, ())
    assert report.status == "complete"
    assert sum(row.macs for row in report.rows if not row.aux) == case.macs
    measured(case, strict=True)
    VALIDATOR.validate(json.loads(json.dumps(report.to_dict())))
    assert f"{case.params:,} (" in str(report)


@pytest.mark.parametrize("name", CASES)
def test_real_tensors_give_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What falls back to real tensors is counted as on meta."""
    from cnnzoo.pytorch.measuring import measure as module

    def refuse(dtype: Any) -> Callable[[Tensor], Tensor]:
        def twin(tensor: Tensor) -> Tensor:
            raise module.NoTwinError("no meta today")

        return twin

    case = CASES[name]
    on_meta = measured(case)
    monkeypatch.setattr(module, "on_meta", refuse)
    made = case.make()
    if not list(made.parameters()):
        return
    report = measured(case, made)
    assert "no meta today" in report.notes[0]
    assert report.totals == on_meta.totals
    assert [(row.path, row.input_shape, row.output_shape, row.macs) for row in report.rows if not row.own] == [
        (row.path, row.input_shape, row.output_shape, row.macs) for row in on_meta.rows if not row.own
    ]


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_module_is_left_as_it_was_found(name: str, real: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    module = case.make()
    module.train()
    if children := list(module.children()):
        children[0].eval()  # a mode of its own
    for parameter in module.parameters():
        if not nn.parameter.is_lazy(parameter):
            parameter.grad = torch.ones_like(parameter)
    given = [one.clone() for one in case.given.values()] if isinstance(case.given, dict) else None
    before, generator = state(module), torch.get_rng_state()
    if real:
        monkeypatch.setattr("cnnzoo.pytorch.measuring.measure.on_meta", lambda dtype: _refuse)
    if list(module.parameters()) or not real:
        measured(case, module)
    assert state(module) == before
    assert torch.equal(torch.get_rng_state(), generator)
    assert not torch.nn.modules.module._global_forward_hooks
    assert not torch.nn.modules.module._global_forward_pre_hooks
    assert torch.backends.mha.get_fastpath_enabled()
    if given is not None:
        assert all(map(torch.equal, given, case.given.values()))


def _refuse(tensor: Tensor) -> Tensor:
    from cnnzoo.pytorch.measuring.borrow import NoTwinError

    raise NoTwinError("no meta today")


# What cannot be known is said.


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(5, 4), nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.a(x) if x.sum() > 0 else self.b(self.b.weight.t() @ self.a(x).t())


class Sparse(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(4, 5).to_sparse(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sparse.mm(self.weight, x.t()).t()


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x[x[:, 0] > 0.5])


@torch.library.custom_op("cnnzoo_test::twice", mutates_args=())
def twice(x: Tensor) -> Tensor:
    return 2 * x


@twice.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


def quantised() -> nn.Module:
    torch.backends.quantized.engine = torch.backends.quantized.supported_engines[-1]
    return torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(5, 4), nn.ReLU()), {nn.Linear})


UNKNOWN = {
    "a branch": (Branching, (5,), "depends on values"),
    "numpy": (of(lambda m, x: m.a(torch.from_numpy(x.numpy())), a=lambda: nn.Linear(5, 4)), (5,), "numpy"),
    "a branch of torch's": (
        of(lambda m, x: torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x - 1, (x,))),
        (5,),
        "cond at",
    ),
    "sparse": (Sparse, (5,), "no rule"),
    "a mask": (Masked, (5,), "depends on"),
    "an operator of its own": (of(lambda m, x: m.a(twice(x)), a=lambda: nn.Linear(5, 4)), (5,), "no rule"),
    "quantised": (quantised, (5,), "packed"),
    "a matrix inverse": (of(lambda m, x: m.a(torch.linalg.inv(x)), a=lambda: nn.Linear(8, 4)), (1, 8, 8), "no rule"),
    "made in the forward": (of(lambda m, x: nn.Linear(5, 4)(x)), (5,), "made in the forward"),
    "lazy and never called": (of(lambda m, x: x + 1, a=lambda: nn.LazyLinear(4)), (5,), "lazy"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_unknown_is_named(name: str) -> None:
    make, size, why = UNKNOWN[name]
    report = measure(make(), size)
    assert report.status == "partial"
    assert any(why in str(one) for one in report.unknown), report.unknown
    assert "Unknown" in str(report)
    VALIDATOR.validate(json.loads(json.dumps(report.to_dict())))
    with pytest.raises(PartialError, match=why):
        measure(make(), size, strict=True)


def in_numpy(m: Any, x: Tensor) -> Tensor:
    y = m.a(x) if hasattr(m, "a") else x
    return torch.from_numpy(y.detach().numpy() @ y.detach().numpy().T)


@pytest.mark.parametrize("layers", [{}, {"a": lambda: nn.Linear(5, 4)}], ids=["leaf", "block"])
def test_work_outside_torch_makes_its_sums_unknown(layers: dict[str, Callable[[], nn.Module]]) -> None:
    report = measure(nn.Sequential(nn.Sequential(of(in_numpy, **layers)()), nn.Linear(1, 2)), (5,))
    known = 2 + 20 * len(layers)
    assert (report.total_macs, report.known["macs"]) == (None, known)
    assert (report["0"].macs, report["0"].known.get("macs", 0)) == (None, known - 2)
    assert f"≥ {known}" in str(report)


def ones(x: Tensor, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.ones(*shape, device=x.device, dtype=dtype)


OPERATORS: dict[str, tuple[Callable[[Tensor], Tensor], int | None]] = {
    # a is 5 x 6: its product with its transpose 5 x 5 x 6
    "mv": (lambda a: torch.mv(a, a[0]), 30),
    "addmv": (lambda a: torch.addmv(ones(a, 5), a, a[0]), 30),
    "dot": (lambda a: torch.dot(a[0], a[1]), 6),
    "vdot": (lambda a: torch.vdot(a[0], a[1]), 6),
    "addr": (lambda a: torch.addr(ones(a, 6, 6), a[0], a[1]), 36),
    "addmm": (lambda a: torch.addmm(ones(a, 5, 5), a, a.t()), 150),
    "addbmm": (lambda a: torch.addbmm(ones(a, 5, 5), a.expand(3, 5, 6), a.t().expand(3, 6, 5)), 450),
    "baddbmm": (lambda a: torch.baddbmm(ones(a, 3, 5, 5), a.expand(3, 5, 6), a.t().expand(3, 6, 5)), 450),
    "_addmm_activation": (lambda a: torch._addmm_activation(ones(a, 5), a, a.t()), 150),
    "inner": (lambda a: torch.inner(a, a), 150),
    "tensordot": (lambda a: torch.tensordot(a, a, ([1], [1])), 150),
    "einsum of three": (lambda a: torch.einsum("ij,kj,kl->il", a, a, a), 300),
    "chain_matmul": (lambda a: torch.chain_matmul(a, a.t(), a), 300),
    "multi_dot": (lambda a: torch.linalg.multi_dot([a, a.t(), a]), 300),
    "matrix_power": (lambda a: torch.linalg.matrix_power(a[:, :5], 3), 250),
    "lstm_cell": (lambda a: torch.lstm_cell(a, (a, a), ones(a, 24, 6), ones(a, 24, 6))[0], 2 * 5 * 24 * 6),
    "gru_cell": (lambda a: torch.gru_cell(a, a, ones(a, 18, 6), ones(a, 18, 6)), 2 * 5 * 18 * 6),
    # 2 positions of time, a batch of 6, a kernel of 4 times
    "conv_tbc": (lambda a: torch.conv_tbc(a[..., None], ones(a, 4, 1, 7), ones(a, 7)), 2 * 6 * 4 * 7),
    "_int_mm": (
        lambda a: torch._int_mm(ones(a, 32, 16, dtype=torch.int8), ones(a, 16, 8, dtype=torch.int8)),
        32 * 16 * 8,
    ),
    "unfold and matmul": (lambda a: ones(a, 3, 4) @ F.unfold(a[None], 2), 3 * 4 * 20),
    # products of single numbers, and their sums, are other work
    "outer": (lambda a: torch.outer(a[0], a[1]), 0),
    "kron": (lambda a: torch.kron(a, a), 0),
    "vecdot": (lambda a: torch.linalg.vecdot(a, a), 0),
    "cosine_similarity": (lambda a: F.cosine_similarity(a, a), 0),
    "interpolate": (lambda a: F.interpolate(a[None, None], scale_factor=2, mode="bilinear"), 0),
    "grid_sample": (lambda a: F.grid_sample(a[None, None], ones(a, 1, 4, 4, 2)), 0),
    "cdist": (lambda a: torch.cdist(a, a), 5 * 5 * 6),
    "pdist": (lambda a: torch.pdist(a), 10 * 6),
    "bilinear": (lambda a: F.bilinear(a, a, ones(a, 3, 6, 6)), 5 * 3 * (36 + 6)),
    "affine_grid": (lambda a: F.affine_grid(ones(a, 1, 2, 3), [1, 1, 4, 4]), 16 * 6),
    "_grouped_mm": (lambda a: torch._grouped_mm(*[ones(a, 2, 16, 16, dtype=torch.bfloat16)] * 2), 2 * 16**3),
    "mkldnn": (lambda a: torch._C._nn.mkldnn_linear(a.to_mkldnn(), torch.ones(3, 6).to_mkldnn()).to_dense(), 90),
    # how many products these take is the kernel's own affair
    "fft": (lambda a: torch.fft.rfft(a).abs(), None),
    "ifft": (lambda a: torch.fft.irfft(a), None),
    "stft": (lambda a: torch.stft(a.flatten(), 8, window=ones(a, 8), return_complex=True).abs(), None),
    "inv": (lambda a: torch.linalg.inv(a[:, :5]), None),
    "solve": (lambda a: torch.linalg.solve(a[:, :5], a), None),
    "det": (lambda a: torch.linalg.det(a[:, :5]), None),
    "svd": (lambda a: torch.linalg.svd(a)[1], None),
    "qr": (lambda a: torch.linalg.qr(a)[0], None),
    "eigh": (lambda a: torch.linalg.eigh(a[:, :5])[0], None),
    "pinv": (lambda a: torch.linalg.pinv(a), None),
    "lstsq": (lambda a: torch.linalg.lstsq(a, a)[0], None),
    "matrix_exp": (lambda a: torch.linalg.matrix_exp(a[:, :5]), None),
    "cholesky": (lambda a: torch.linalg.cholesky(a[:, :5]), None),
    "householder": (lambda a: torch.linalg.householder_product(a.t(), a[:, 0]), None),
    "flex_attention": (lambda a: flex_attention(*[a.view(1, 1, 5, 6)] * 3), None),
    "nested": (lambda a: torch.nested.to_padded_tensor(F.linear(nested([a, a[:3]]), ones(a, 2, 6)), 0.0), None),
    "sparse": (lambda a: torch.sparse.mm(torch.eye(4, 5).to_sparse(), a), None),
}


def nested(parts: list[Tensor]) -> Tensor:
    return torch.nested.nested_tensor(parts)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_right_or_unknown(name: str) -> None:
    """Nothing that may hide products is 0."""
    forward, macs = OPERATORS[name]
    module = of(lambda m, x: forward(x))()
    report = measure(module, input_data=torch.eye(5, 6), batch_dim=None)
    assert report.totals["macs"] == macs
    assert report.status == ("partial" if macs is None else "complete")


def test_the_unknown_is_never_0() -> None:
    report = measure(of(lambda m, x: twice(x))(), (5,))
    assert report.totals["macs"] is None
    assert report.rows[0].macs is None
    assert report.total_macs is report.total_flops is report.known.get("macs") is None
    assert "none are known" in str(report)


def test_a_fall_back_is_noted() -> None:
    report = measure(Branching(), (5,))
    assert "run with real tensors" in report.notes[0]
    assert "random" in report.notes[1]
    assert (report.total_macs, report.known["macs"]) == (None, 20)
    with pytest.raises(ValuesNeededError):
        measure(Branching().to("meta"), (5,))


# Rows.


def rows(report: cnnzoo.Report) -> list[tuple[Any, ...]]:
    return [(row.path, row.kind, row.params, row.macs) for row in report.rows]


def test_each_call_is_a_row_and_parameters_count_once() -> None:
    report = measured(CASES["one module thrice, at two sizes, under two names"])
    calls = [row for row in report.rows if row.kind == "Conv2d"]
    assert [(row.path, row.call, row.params, row.output_shape) for row in calls] == [
        ("a", 1, 84, (3, 6, 6)),
        ("b", 2, 0, (3, 1, 1)),
        ("a", 3, 0, (3, 6, 6)),
    ]
    assert all(row.tensors == {"weight": (3, 3, 3, 3), "bias": (3,)} for row in calls)


def test_a_parents_own_work_is_its_own_row() -> None:
    report = measured(CASES["Linear, then F.linear"])
    assert rows(report) == [("fc", "Linear", 24, 20), ("", "matmul", 12, 12)]
    assert report.rows[1].tensors == {"w": (3, 4)}
    report = measured(CASES["weight norm"])
    assert ("", "conv2d", 4, 4 * 36 * 27) in rows(report)
    report = measured(CASES["a parent's own parameter"])
    assert rows(report) == [("fc", "Linear", 24, 20), ("", "mul", 4, 0)]


def test_attention_is_one_row_with_all_its_tensors() -> None:
    report = measured(CASES["MultiheadAttention"])
    assert [row.path for row in report.rows] == ["attention"]
    assert report.rows[0].tensors == {
        "in_proj_weight": (24, 8),
        "in_proj_bias": (24,),
        "out_proj.weight": (8, 8),
        "out_proj.bias": (8,),
    }
    assert report.tensors.keys() == CASES["MultiheadAttention"].make().state_dict().keys()


def test_a_module_never_called_is_listed() -> None:
    report = measured(CASES["unused"])
    (row,) = (row for row in report.rows if row.path == "idle")
    assert (row.call, row.params, row.macs, row.output_shape) == (0, 90, 0, ())
    assert report.notes == ("never called: idle",)
    assert "Linear (not called)" in str(report)


def test_a_module_that_fails_was_called() -> None:
    with pytest.raises(MeasureError) as failed:
        cnnzoo.summary(nn.Sequential(nn.Linear(4, 4), nn.Linear(5, 4), nn.Linear(4, 2)), (4,))
    assert [row.call for row in failed.value.report.rows] == [1, 1, 0]
    assert failed.value.report.known["macs"] == 16
    assert str(failed.value.report).count("(not called)") == 1


@pytest.mark.parametrize(
    ("given", "met"),
    [(nn.Linear, "the class Linear: Linear(…) makes one"), (nn.Linear(2, 2).state_dict(), "load them into a network")],
)
def test_what_is_no_module_is_named(given: Any, met: str) -> None:
    with pytest.raises(TypeError, match=re.escape(met)):
        cnnzoo.summary(given, (2,))


def test_a_head_that_runs_in_training_is_apart() -> None:
    report = measured(CASES["a head run in training"])
    assert report.aux_params == 8 + 10
    assert report.totals["aux_macs"] == 8
    assert {row.path for row in report.rows if row.aux} == {"head.0", "head.1"}
    assert report.notes == ()


def test_frozen_parameters_are_not_trainable() -> None:
    module = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3))
    module[0].requires_grad_(False)
    report = measure(module, (5,))
    assert (report.total_params, report.trainable_params) == (39, 15)
    assert "24 of them frozen" in str(report)


def test_every_size_is_a_sample_s() -> None:
    for batch in (1, 5):
        report = measure(nn.Conv2d(3, 4, 3), (batch, 3, 8, 8))
        (row,) = report.rows
        assert (row.input_shape, row.output_shape, report.batch_size) == ((3, 8, 8), (4, 6, 6), batch)
        assert row.activation_bytes == batch * 4 * 36 * 4


def test_several_inputs_are_all_shown() -> None:
    report = measured(CASES["several inputs"])
    assert (report.input_size, report.more_inputs) == ((5,), ((6,),))
    assert "5 and 6" in str(report)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_the_dtype_is_as_if_the_module_had_it(dtype: str) -> None:
    report = measure(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), (3, 8, 8), dtype=dtype)
    item = getattr(torch, dtype).itemsize
    assert report.dtype == dtype
    assert report.totals["param_bytes"] == 120 * item
    assert report.totals["activation_bytes"] == 2 * 4 * 36 * item
    assert report.totals["buffer_bytes"] == 8 * item + 8


class Captioned(nn.Module):
    """An image and the tokens of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Conv2d(3, 4, 3)
        self.text = nn.Sequential(nn.Embedding(11, 6), nn.Linear(6, 4))

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        return self.image(x).mean((2, 3)) + self.text(tokens).mean(1)


@pytest.mark.parametrize("size", [7, (7,), (1, 7), (3, 7), [(3, 7)]])
def test_dtypes_of_inputs(size: Any) -> None:
    """Tokens are whole numbers: a number alone is how many there are, not the side of an image."""
    text = Captioned().text
    report = measure(text, size, dtypes=[torch.long])
    assert (report.input_size, report.total_macs, report.dtype) == ((7,), 7 * 24, "float32")
    with_convolution = nn.Sequential(nn.Embedding(11, 7), nn.Conv1d(7, 4, 3))
    assert measure(with_convolution, size, dtypes=["int64"]).input_size == (7,)


def test_each_input_has_a_dtype() -> None:
    sizes = [(2, 3, 8, 8), (2, 7)]
    report = cnnzoo.summary(Captioned(), sizes, dtypes=[None, torch.int32])
    assert (report.more_inputs, report.total_macs) == (((7,),), 4 * 36 * 27 + 7 * 24)
    half = measure(Captioned(), sizes, dtypes=[None, "int64"], dtype="float16")
    assert half.totals["param_bytes"] == report.total_params * 2
    with pytest.raises(ValueError, match="1 dtype for 2 inputs"):
        measure(Captioned(), sizes, dtypes=["int64"])
    with pytest.raises(ValueError, match="did you mean int16 or int64"):
        measure(Captioned(), sizes, dtypes=[None, "int46"])
    with pytest.raises(ValueError, match="input_data has its own dtypes"):
        measure(nn.ReLU(), input_data=torch.rand(1, 3), dtypes=["int64"])


def test_summary_measures_modules() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    report = cnnzoo.summary(module, (2, 3, 8, 8))
    assert report.total_macs == 4 * 36 * 27
    assert cnnzoo.summary(module, input_data=torch.rand(2, 3, 8, 8)).total_macs == 4 * 36 * 27
    with pytest.raises(TypeError, match="input_data goes with"):
        cnnzoo.summary("vgg16", input_data=torch.rand(1))
    with pytest.raises(TypeError, match="a module is measured"):
        cnnzoo.summary(3, (5,))  # type: ignore[arg-type]
    table = cnnzoo.summary(module)
    assert (table.total_params, table.total_macs, table.status) == (112, None, "partial")
    with pytest.raises(ValueError, match="either input_size"):
        cnnzoo.summary(module, (3, 8, 8), input_data=torch.rand(2, 3, 8, 8))


def test_an_exported_program_has_one_mode() -> None:
    module = torch.export.export(nn.Sequential(nn.Conv2d(3, 4, 3)), (torch.rand(1, 3, 8, 8),)).module()
    report = measure(module, IMAGE)
    assert (report.total_params, report.total_macs, report.status) == (112, 4 * 36 * 27, "complete")


def test_buffers_that_the_state_dict_leaves_out_are_buffers() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    module[0].register_buffer("mask", torch.ones(6, 6), persistent=False)
    report = measure(module, (3, 8, 8))
    assert report.total_buffers == sum(one.numel() for one in module.buffers()) == 36 + 9
    assert report.totals["buffer_bytes"] == 4 * 36 + 4 * 8 + 8
    assert (report["0"].buffer_tensors, report["0"].non_persistent) == ({"mask": (6, 6)}, ("mask",))
    assert [*report.tensors] == [*module.state_dict()]


# A network that fails.


def test_a_failing_network_shows_what_ran() -> None:
    module = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.Sequential(nn.Flatten(), nn.Linear(7, 3)), nn.ReLU()
    )
    before = state(module)
    with pytest.raises(MeasureError, match=r"at 1\.1 \(Linear\), given \(2, 144\)") as caught:
        measure(module, (2, 3, 8, 8))
    error = caught.value
    assert (error.path, error.kind, error.input_shapes) == ("1.1", "Linear", ((2, 144),))
    assert [row.path for row in error.report.rows if row.macs is not None] == ["0.0", "0.1", "1.0"]
    assert [(row.path, row.params, row.call) for row in error.report.rows if row.macs is None] == [("1.1", 24, 1)]
    assert error.report.status == "partial"
    assert isinstance(error.__cause__, RuntimeError)
    assert state(module) == before


def test_nothing_is_known_of_what_fails_at_once() -> None:
    """Not that it is 0 deep, or keeps nothing."""
    with pytest.raises(MeasureError) as caught:
        measure(nn.Sequential(nn.Embedding(11, 6)), (1, 7))
    totals = caught.value.report.totals
    unseen = ("depth", "additions", "peak_activation_bytes", "peak_bytes", "stored_bytes")
    assert [totals[name] for name in unseen] == [None] * 5
    VALIDATOR.validate(json.loads(json.dumps(caught.value.report.to_dict())))


def test_a_failing_forward_of_a_block_is_its_own() -> None:
    module = nn.Sequential(of(lambda m, x: m.a(x) + torch.ones(3, 3), a=lambda: nn.Linear(5, 4))())
    with pytest.raises(MeasureError, match=r"at 0 \(Small\), given \(1, 5\)") as caught:
        measure(module, (5,))
    assert [row.path for row in caught.value.report.rows] == ["0.a"]


@pytest.mark.parametrize("size", [(), (0,), (3, -1, 2), (3.5,)])
def test_a_size_that_is_none_is_refused(size: Any) -> None:
    with pytest.raises(ValueError, match="size must be"):
        measure(nn.Linear(5, 4), size)
