"""What people do to a module works on every family: compile, export, trace, copy, store, cast, distribute.

CI takes one network of each family in small, or where that is slow those that have all kinds of layers; `-m long`
takes every registered network at full width.
"""

import copy
import inspect
import linecache
import os
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import onnxruntime
import pytest
import torch
import torch.distributed
import torch.multiprocessing
from conftest import detectors
from processes import distributed_step, without_dropout
from reference import image, saved_bytes
from small import FAMILIES, OF_EVERY_KIND, lively, small_net
from stepped import STEPPED, fire
from torch import nn
from torch.func import functional_call

import cnnzoo
from cnnzoo.arch import Add, Aux, Conv2d, From, ReLU, Sequential
from cnnzoo.pytorch.modules import written
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.forwards import Join, ModuleList
from cnnzoo.pytorch.modules.network import Network


def one_input(make, name: str):
    net, x = make(name)
    return net, [x]


def full_net(name: str):
    """A registered network as it is, begun as in its paper, and two images for it."""
    torch.manual_seed(0)
    builder = cnnzoo.get_builder(name)
    return builder(), image(builder.input_size, 2)


def stepped_net(name: str):
    """A network with steps, and two images for each of its inputs."""
    torch.manual_seed(0)
    description, sizes = STEPPED[name]
    net = build(description, sizes, init=lively)
    sizes = sizes if isinstance(sizes[0], tuple) else [sizes]
    return net, [image(size, 2 + place)[place:] for place, size in enumerate(sizes)]


CASES = [
    *(pytest.param(partial(one_input, small_net, name), id=f"{name}-small") for name in FAMILIES),
    *(pytest.param(partial(stepped_net, name), id=name) for name in STEPPED),
    *(
        pytest.param(partial(one_input, full_net, name), id=name, marks=pytest.mark.long)
        for name in cnnzoo.list_models()
    ),
]
every = pytest.mark.parametrize("make", CASES)
few = pytest.mark.parametrize(
    "make", [case for case in CASES if case.marks or case.id.removesuffix("-small") in {*OF_EVERY_KIND, *STEPPED}]
)


def at_inference(make):
    net, images = make()
    net.eval()
    with torch.no_grad():
        return net, images, net(*images)


def at_training(make):
    """Without what is drawn anew each time."""
    net, images = make()
    without_dropout(net.train())
    return net, images, net(*images)


def together(out) -> torch.Tensor:
    """One value, or all of several, one after the other; of a scripted network's heads those that there are."""
    values = [one for one in out if one is not None] if isinstance(out, tuple | list) else [out]
    return torch.cat([one.flatten() for one in values])


def same(out, wanted, tolerance=1e-4):
    """Equal within a part of the largest value."""
    out, wanted = together(out), together(wanted)
    scale = wanted.abs().max().item()
    assert torch.allclose(out, wanted, rtol=0, atol=tolerance * scale), (out - wanted).abs().max().item() / scale


@pytest.mark.wide
@every
def test_every_parameter_gets_a_gradient(make):
    net, images = make()
    for module in net.modules():
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0  # what it leaves out has none
    together(net(*images)).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.wide(0, 10)
@few
def test_compile_has_no_graph_break(make):
    """In training and at inference; backend "eager" runs what was captured, `-m long` adds inductor."""
    net, images, wanted = at_inference(make)
    torch._dynamo.reset()
    with torch.no_grad():
        same(torch.compile(net, fullgraph=True, backend="eager")(*images), wanted)
    net, images, wanted = at_training(make)
    out = torch.compile(net, fullgraph=True, backend="eager")(*images)
    if hasattr(wanted, "_fields"):
        assert out._fields == wanted._fields
    same(out, wanted)
    together(out).sum().backward()


@pytest.mark.long
@pytest.mark.wide
@every
def test_compiles_with_inductor(make):
    net, images, wanted = at_inference(make)
    torch._dynamo.reset()
    with torch.no_grad():
        same(torch.compile(net, fullgraph=True)(*images), wanted)


@pytest.mark.wide(1, 14)
@every
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_script(make, tmp_path):
    """In both modes, and from a file; a network with heads returns a tuple in both, with None at inference."""
    net, images, wanted = at_training(make)
    scripted = torch.jit.script(net)
    same(scripted(*images), wanted)
    wanted = net.eval()(*images)
    same(scripted.eval()(*images), wanted)
    torch.jit.save(scripted, tmp_path / "net.pt")
    same(torch.jit.load(tmp_path / "net.pt")(*images), wanted)


@pytest.mark.wide(1, 20)
@every
def test_export(make):
    net, images, wanted = at_inference(make)
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(net, (*images,), dynamic_shapes=tuple({0: batch} for _ in images)).module()
    same(exported(*images), wanted)
    first = exported(*(x[:1] for x in images))
    same(first, [one[:1] for one in wanted] if isinstance(wanted, tuple) else wanted[:1])


@pytest.mark.wide
@every
def test_symbolic_trace(make):
    net, images, wanted = at_inference(make)
    with torch.no_grad():
        same(torch.fx.symbolic_trace(net)(*images), wanted)


@pytest.mark.wide(1, 10)
@every
def test_onnx(make):
    net, images, wanted = at_inference(make)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(net, (*images,), dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    arrays = {given.name: x.numpy() for given, x in zip(session.get_inputs(), images, strict=True)}
    same([torch.from_numpy(one) for one in session.run(None, arrays)], wanted)


@pytest.mark.wide
@every
def test_pickle_deepcopy_and_state_dict(make):
    net, images, wanted = at_inference(make)
    with torch.no_grad():
        for again in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net), copy.copy(net)):
            assert type(again) is type(net)
            assert torch.equal(together(again(*images)), together(wanted))
        other, _ = make()
        for parameter in other.parameters():
            parameter.zero_()
        assert str(other.load_state_dict(net.state_dict())) == "<All keys matched successfully>"
        assert torch.equal(together(other.eval()(*images)), together(wanted))


FRESH = """
import sys
import torch
for path in sys.argv[1:]:
    net, images, wanted = torch.load(path, weights_only=False)
    values = lambda out: list(out) if isinstance(out, tuple) else [out]
    assert all(map(torch.equal, values(net(*images)), values(wanted)))
    torch.jit.script(net)(*images)
"""


@pytest.mark.wide(0)
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_file_of_a_whole_network_is_read_in_a_fresh_process(tmp_path):
    paths = []
    for number, make in enumerate([*(partial(stepped_net, name) for name in STEPPED), CASES[-1].values[0]]):
        paths.append(tmp_path / f"{number}.pt")
        torch.save(at_inference(make), paths[-1])
    subprocess.run([sys.executable, "-W", "ignore", "-c", FRESH, *paths], check=True, cwd=tmp_path)


@pytest.mark.wide
@every
def test_hooks_see_every_module_that_runs(make):
    """Forward, and backward with the gradients of all that is returned."""
    net, images, wanted = at_training(make)
    forward, backward = set(), set()
    for name, module in net.named_modules():
        module.register_forward_hook(lambda *_, name=name: forward.add(name))
        module.register_full_backward_hook(lambda *_, name=name: backward.add(name))
    out = net(*[x.clone().requires_grad_() for x in images])
    same(out, wanted)
    together(out).sum().backward()
    held = {name for name, module in net.named_modules() if isinstance(module, ModuleList)}
    assert forward == backward == {name for name, _ in net.named_modules()} - held


@pytest.mark.wide
@every
def test_blocks_are_worked_out_again_in_the_backward_pass(make):
    """The gradients are the same. A network without blocks says that it has none."""
    net, images, wanted = at_training(make)
    together(wanted).square().sum().backward()
    gradients = [parameter.grad for parameter in net.parameters()]
    net, images = make()
    without_dropout(net.train())
    blocks = [module for module in net.modules() if isinstance(module, Join) and module is not net]
    if not blocks:
        with pytest.raises(cnnzoo.CnnzooError, match="no blocks"):
            net.set_grad_checkpointing()
        return
    net.set_grad_checkpointing()
    kept = saved_bytes(net, *images)
    out = net(*images)
    same(out, wanted)
    together(out).square().sum().backward()
    for ours, parameter in zip(gradients, net.parameters(), strict=True):
        same(parameter.grad, ours, 1e-3)
    net.set_grad_checkpointing(False)
    assert kept < saved_bytes(net, *images)


@pytest.mark.wide
@every
def test_functional_call(make):
    net, images, wanted = at_inference(make)
    doubled = {name: 2 * value for name, value in net.named_parameters()}
    with torch.no_grad():
        assert torch.equal(together(functional_call(net, dict(net.named_parameters()), (*images,))), together(wanted))
        assert not torch.equal(together(functional_call(net, doubled, (*images,))), together(wanted))


@pytest.mark.wide
@every
def test_channels_last(make):
    net, images, wanted = at_inference(make)
    with torch.no_grad():
        net.to(memory_format=torch.channels_last)
        same(net(*(x.to(memory_format=torch.channels_last) for x in images)), wanted)


@pytest.mark.wide
@every
def test_bfloat16_autocast(make):
    """In bfloat16, of eight bits: how far outputs are off depends on a processor's sums, but not where they point."""
    net, images, wanted = at_inference(make)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        out = together(net(*images)).float()
    assert torch.cosine_similarity(out, together(wanted), dim=0) > 0.95
    net.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(*images)
    together(out).float().sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.wide(0)
@pytest.mark.skipif(sys.platform == "win32", reason="gloo's file store")
def test_distributed_data_parallel(tmp_path):
    names = [name for name in FAMILIES if name not in detectors()][::3]
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


class TestChanges:
    """What is done to a module is true of what it then does."""

    @pytest.mark.wide
    @every
    def test_a_module_that_is_added_takes_no_part(self, make):
        """To the network, or to a block; a chain within, which is torch's own Sequential, runs whatever it has."""
        net, images, wanted = at_inference(make)
        for module in list(net.modules()):
            if isinstance(module, Join | ModuleList | Network):
                module.extra = nn.Linear(1, 1)
                module.add_module("another", nn.Flatten())
        with torch.no_grad():
            assert torch.equal(together(net(*images)), together(wanted))

    def test_nor_does_it_in_what_is_made_of_a_network(self):
        net, (x,), wanted = at_inference(partial(one_input, small_net, "resnet18"))
        net.extra = nn.Linear(1, 1)
        assert torch.equal(net[:](x), wanted)
        assert torch.equal(net.forward_head(net.forward_features(x)), wanted)
        net.append(nn.Softmax(1))
        assert torch.equal(net(x), wanted.softmax(1))
        del net[-1]
        assert torch.equal(net(x), wanted)

    @pytest.mark.wide(1, 14)
    @every
    def test_a_child_that_is_deleted_hands_on_what_it_reads(self, make):
        """As does an Identity in its place: tried on one of each kind in each kind of block of those that keep the
        shape of their one value."""
        net, images, _ = at_inference(make)
        kept = {}

        def keeps(name, given, out):
            if len(given) == 1 and getattr(given[0], "shape", None) == getattr(out, "shape", ()):
                around = net.get_submodule(name.rpartition(".")[0])
                kept[type(around), type(net.get_submodule(name))] = name

        for name, module in net.named_modules():
            if isinstance(net.get_submodule(name.rpartition(".")[0]), Join | Network) and name:
                module.register_forward_hook(lambda _, given, out, name=name: keeps(name, given, out))
        with torch.no_grad():
            net(*images)
            for name in kept.values():
                path, _, own = name.rpartition(".")
                without, replaced = copy.deepcopy(net), copy.deepcopy(net)
                delattr(without.get_submodule(path), own)
                setattr(replaced.get_submodule(path), own, nn.Identity())
                assert torch.equal(together(without(*images)), together(replaced(*images))), name

    def test_children_may_be_called_as_variables_are(self):
        """A deleted child's variable is another's name."""
        description = Sequential(x2=Conv2d(3, 1), x1=ReLU(), x0=From("x2", Conv2d(3, 1)), end=Add("x0", "x1"))
        net = build(description, (3, 4, 4))
        x = image((3, 4, 4))
        wanted = net.x0(net.x2(x)) + net.x2(x)
        del net.x1
        assert torch.equal(net(x), wanted)
        assert torch.equal(pickle.loads(pickle.dumps(net))(x), wanted)

    @pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
    def test_a_slice_runs_and_the_list_can_be_changed(self):
        net, (x,), wanted = at_inference(partial(one_input, small_net, "resnet18"))
        assert torch.equal(net[len(net) - 2 :](net[:-2](x)), wanted)
        torch.jit.script(net[:3])(x)
        net.append(nn.Softmax(1))
        assert torch.equal(net(x), wanted.softmax(1))
        del net[-1]
        net += nn.Sequential(nn.Softmax(1), nn.Flatten())
        assert torch.equal(net(x), wanted.softmax(1))
        del net[-2:]
        net.extend([nn.Softmax(1)])
        assert torch.equal(net(x), wanted.softmax(1))
        net.pop(-1)
        net[-1] = nn.Identity()
        assert torch.equal(net(x), net[:-1](x))
        numbered = build(Sequential(Conv2d(3, 1), ReLU()), (3, 4, 4))
        x = image((3, 4, 4))
        wanted = numbered(x)
        numbered.insert(1, Double())
        assert torch.equal(numbered(x), 2 * wanted)
        del numbered[1]
        numbered *= 2
        assert torch.equal(numbered(x), numbered[:2](wanted))

    @pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
    @pytest.mark.parametrize(
        "make", [partial(stepped_net, "with_head"), partial(one_input, small_net, "googlenet")], ids=["steps", "chain"]
    )
    def test_heads_are_left_out(self, make):
        net, images, _ = at_training(make)
        heads = net(*images)._fields[1:]
        for name in heads:
            setattr(net, name, None)
        logits = net(*images)
        assert torch.is_tensor(logits)
        torch.jit.script(net)
        net, images, _ = at_training(make)
        delattr(net, heads[0])
        rest = net(*images)
        assert (rest._fields[1:] if isinstance(rest, tuple) else ()) == heads[1:]

    @pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
    def test_networks_of_other_heads_are_scripted_in_one_process(self):
        """What they return in training are values of classes of one name."""
        for name in ("aux", "side", "aux_side"):
            net = build(Sequential(a=Conv2d(3, 1), **{name: Aux("a", Conv2d(2, 1))}, b=ReLU()), (3, 4, 4))
            assert torch.jit.script(net)(image((3, 4, 4)))._fields == ("logits", name)

    def test_what_a_network_with_heads_returns_is_pickled(self):
        out = at_training(partial(stepped_net, "with_head"))[2]
        again = pickle.loads(pickle.dumps(out))
        assert type(again) is type(out)
        assert torch.equal(together(again), together(out))


class Double(nn.Module):
    def forward(self, x):
        return 2 * x


class TestClasses:
    """The class of a module is written for its program."""

    def test_equal_blocks_share_one_wherever_they_stand(self):
        net = build(Sequential(a=Sequential(fire(2, 4, 4)), b=fire(3, 5, 6), c=fire(2, 4, 4)), (3, 8, 8))
        assert type(net.a[0]) is type(net.b) is type(net.c)
        assert type(net.a[0]) is not type(build(fire(2, 4, 4), (3, 8, 8)))  # a whole network

    def test_building_again_makes_no_more_of_them(self):
        for name in STEPPED:
            stepped_net(name)
        before = len(written._WRITTEN), len(linecache.cache)
        for _ in range(3):
            for name in STEPPED:
                net, _ = stepped_net(name)
                copy.deepcopy(net)
        assert (len(written._WRITTEN), len(linecache.cache)) == before

    def test_threads_that_build_at_once_get_one(self):
        """A name that no other test uses, so that all of them write it."""
        description = Sequential(threaded=Conv2d(3, 1), skip=Add("input", "threaded"))
        barrier = Barrier(8)

        def made(_):
            barrier.wait()
            return type(build(description, (3, 4, 4)))

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(made, range(8)))) == 1

    def test_the_source_stays_readable(self):
        """As tracebacks, debuggers and torch.jit.script read it."""
        net, _ = stepped_net("fire")
        linecache.checkcache()
        assert "x6 = self.expand3x3_activation(x5)" in inspect.getsource(type(net)._run)
