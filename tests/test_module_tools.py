"""What people do to a module works on every family: compile, export, trace, copy, store, cast, distribute.

CI takes one network of each family in small; `-m long` takes every registered network at full width.
"""

import copy
import os
import pickle
import sys
import warnings
from functools import partial

import onnxruntime
import pytest
import torch
import torch.distributed
import torch.multiprocessing
from processes import distributed_step, without_dropout
from reference import image
from small import FAMILIES, small_net
from torch.func import functional_call

import cnnzoo


def full_net(name: str):
    """A registered network as it is, begun as in its paper, and two images for it."""
    torch.manual_seed(0)
    builder = cnnzoo.get_builder(name)
    return builder(), image(builder.input_size, 2)


CASES = [pytest.param(partial(small_net, name), id=f"{name}-small") for name in FAMILIES] + [
    pytest.param(partial(full_net, name), id=name, marks=pytest.mark.long) for name in cnnzoo.list_models()
]
every = pytest.mark.parametrize("make", CASES)


def at_inference(make):
    net, x = make()
    net.eval()
    with torch.no_grad():
        return net, x, net(x)


def same(out, wanted, tolerance=1e-4):
    """Equal within a part of the largest value."""
    scale = wanted.abs().max().item()
    assert torch.allclose(out, wanted, rtol=0, atol=tolerance * scale), (out - wanted).abs().max().item() / scale


@every
def test_every_parameter_gets_a_gradient(make):
    net, x = make()
    outputs = net(x)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    sum(one.square().mean() for one in outputs).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.wide(1)
@every
def test_compile_has_no_graph_break(make):
    """In training and at inference; backend "eager" runs what was captured, `-m long` adds inductor."""
    net, x, wanted = at_inference(make)
    torch._dynamo.reset()
    with torch.no_grad():
        same(torch.compile(net, fullgraph=True, backend="eager")(x), wanted)
    without_dropout(net).train()
    wanted = net(x)
    out = torch.compile(net, fullgraph=True, backend="eager")(x)
    if isinstance(wanted, tuple):
        assert out._fields == wanted._fields
        out, wanted = torch.cat(out), torch.cat(wanted)
    same(out, wanted)
    out.sum().backward()


@pytest.mark.long
@every
def test_compiles_with_inductor(make):
    net, x, wanted = at_inference(make)
    torch._dynamo.reset()
    with torch.no_grad():
        same(torch.compile(net, fullgraph=True)(x), wanted)


@pytest.mark.wide(2)
@every
def test_export(make):
    net, x, wanted = at_inference(make)
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(net, (x,), dynamic_shapes=({0: batch},)).module()
    same(exported(x), wanted)
    same(exported(x[:1]), wanted[:1])


@every
def test_symbolic_trace(make):
    net, x, wanted = at_inference(make)
    with torch.no_grad():
        same(torch.fx.symbolic_trace(net)(x), wanted)


@pytest.mark.wide(1)
@every
def test_onnx(make):
    net, x, wanted = at_inference(make)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(net, (x,), dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    (given,) = session.get_inputs()
    (out,) = session.run(None, {given.name: x.numpy()})
    same(torch.from_numpy(out), wanted)


@every
def test_pickle_deepcopy_and_state_dict(make):
    net, x, wanted = at_inference(make)
    with torch.no_grad():
        assert torch.equal(pickle.loads(pickle.dumps(net))(x), wanted)
        assert torch.equal(copy.deepcopy(net)(x), wanted)
        other, _ = make()
        for parameter in other.parameters():
            parameter.zero_()
        assert str(other.load_state_dict(net.state_dict())) == "<All keys matched successfully>"
        assert torch.equal(other.eval()(x), wanted)


@every
def test_functional_call(make):
    net, x, wanted = at_inference(make)
    doubled = {name: 2 * value for name, value in net.named_parameters()}
    with torch.no_grad():
        assert torch.equal(functional_call(net, dict(net.named_parameters()), (x,)), wanted)
        assert not torch.equal(functional_call(net, doubled, (x,)), wanted)


@every
def test_channels_last(make):
    net, x, wanted = at_inference(make)
    with torch.no_grad():
        same(net.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last)), wanted)


@every
def test_bfloat16_autocast(make):
    """The layers between run in bfloat16, so outputs agree in two digits or so."""
    net, x, wanted = at_inference(make)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        same(net(x).float(), wanted, 0.1)
    net.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(x)
    (sum(out) if isinstance(out, tuple) else out).float().sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.skipif(sys.platform == "win32", reason="gloo's file store")
def test_distributed_data_parallel(tmp_path, wide):
    names = FAMILIES if wide else FAMILIES[-1:]
    torch.multiprocessing.spawn(distributed_step, (os.fspath(tmp_path), names), nprocs=2)
    for name in names:
        net, x = small_net(name)
        net.eval() if name != "googlenet" else without_dropout(net)
        out = net(x)
        ((sum(out) if isinstance(out, tuple) else out).sum() / 2).backward()
        found = torch.load(tmp_path / f"{name}.pt")
        for key, parameter in net.named_parameters():
            if parameter.grad is not None:
                same(found[key], parameter.grad, 1e-3)


def test_what_a_network_with_heads_returns_is_one_class():
    """So that a compiled network and its copies agree on it."""
    net, x = small_net("googlenet")
    assert type(net(x)) is type(pickle.loads(pickle.dumps(net))(x))
