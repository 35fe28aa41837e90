"""A module that was measured is as it was: whatever it is made of, whatever fails, whatever other threads do."""

from __future__ import annotations

import functools
import random
import sys
import threading
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import torch
from cases import of
from torch import Tensor, nn
from torch.nn import functional

from cnnzoo.pytorch.measuring import borrow, restore
from cnnzoo.pytorch.measuring.measure import measure
from cnnzoo.pytorch.measuring.training import training_step

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


class Snapshot:
    """Everything that can be reached from a module, by identity, and its tensors by value."""

    def __init__(self, root: nn.Module) -> None:
        self.root = root
        self.found = dict(self._walk(root, "", set()))

    def _walk(self, value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
        yield path, (type(value), value if isinstance(value, int | float | str | bool | None) else id(value))
        if isinstance(value, Tensor):
            lazy = nn.parameter.is_lazy(value)
            known = not (lazy or value.is_meta or value.layout is not torch.strided)
            values = value.detach().flatten().tolist() if known else None
            yield f"{path} values", (value.device, value.requires_grad, value._version, str(values))
        if id(value) in seen or isinstance(value, type | types.ModuleType | str | Tensor):
            return
        seen.add(id(value))
        inner: list[tuple[str, Any]] = []
        if isinstance(value, dict):
            inner += [(f"[{key}]", one) for key, one in dict.items(value)]
            yield f"{path} keys", list(dict.keys(value))
        elif isinstance(value, list | tuple | deque):
            inner += [(f"[{number}]", one) for number, one in enumerate(value)]
        elif isinstance(value, set):
            yield f"{path} items", sorted(map(repr, value))
        elif isinstance(value, random.Random):
            yield f"{path} state", value.getstate()
        elif isinstance(value, torch.Generator):
            yield f"{path} state", value.get_state().tolist()
        elif isinstance(value, types.FunctionType) and value.__closure__:
            inner += [(f" cell {number}", cell.cell_contents) for number, cell in enumerate(value.__closure__)]
        own = getattr(value, "__dict__", None)
        if own is not None and own is not value and not isinstance(value, torch.jit.ScriptModule):
            inner += [(f".{name}", one) for name, one in own.items()]
            yield f"{path} names", list(own)
        for name, one in inner:
            yield from self._walk(one, path + name, seen)

    def same(self) -> bool:
        now = dict(self._walk(self.root, "", set()))
        assert now == self.found
        return True


# What modules are made of.


class Frozen(OrderedDict[str, Any]):
    """As the configurations of diffusers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.frozen = True

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("frozen")

    update = pop = setdefault = clear = popitem = __delitem__ = _refuse  # type: ignore[assignment]

    def __setitem__(self, key: str, value: Any) -> None:
        if getattr(self, "frozen", False):
            raise TypeError("frozen")
        super().__setitem__(key, value)


class FrozenList(list[Any]):
    def _refuse(self, *args: Any) -> Any:
        raise TypeError("frozen")

    append = extend = clear = __setitem__ = __delitem__ = _refuse  # type: ignore[assignment]


class Attributes(dict[str, Any]):
    """A dict whose items are its attributes."""

    def __init__(self, **items: Any) -> None:
        super().__init__(items)
        self.__dict__ = self


class Slotted:
    __slots__ = ("mask",)

    def __init__(self) -> None:
        self.mask: Any = None


class Helper:
    def __init__(self) -> None:
        self.mask: Any = None
        self.store: dict[Any, Any] = {}


class Closing(Helper):
    """A helper that frees something at its end."""

    ended = 0

    def __del__(self) -> None:
        Closing.ended += 1


class Keeping(nn.Module):
    """Its forward changes all that it holds, besides its own tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.register_buffer("mean", torch.zeros(4))
        self.conf = Frozen(a=1, b=[1])
        self.fixed = FrozenList([1, 2])
        self.order = OrderedDict(a=1, b=2, c=3)
        self.plain = {"a": 1, "b": 2}
        self.sets = {1, 2}
        self.queue: deque[Any] = deque([1], maxlen=2)
        self.default: defaultdict[str, list[Any]] = defaultdict(list)
        self.attributes = Attributes(a=1)
        self.slotted, self.helper, self.closing = Slotted(), Helper(), Closing()
        self.listed = [nn.Linear(4, 4)]
        self.constant = torch.zeros(4)
        self.constants = [torch.zeros(4)]
        self.space = types.SimpleNamespace(last=None)
        self.random, self.generator = random.Random(0), torch.Generator()
        self.lock = threading.Lock()
        self.torch = torch
        self.on = functools.partial(self.add, 1)
        self.me = weakref.ref(self)

    def add(self, number: int, x: Tensor) -> Tensor:
        self.total = getattr(self, "total", 0) + number
        return x

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc(x) + self.torch.ones(4) + self.listed[0](x)
        self.mean = self.mean + y.mean(0)
        OrderedDict.__setitem__(self.conf, "mask", y)
        list.append(self.fixed, y)
        self.order.move_to_end("a")
        self.plain["c"] = self.plain.pop("a")
        self.sets.add(3)
        self.queue.extend([y, y])
        self.default["new"].append(y)
        self.attributes["mask"] = y
        self.slotted.mask = self.helper.mask = self.space.last = y
        self.helper.store[4] = self.closing.mask = y
        self.closing.store.setdefault("all", []).append(y)
        self.constant += 1
        self.constants[0].add_(1)
        self.random.random()
        torch.rand(2, generator=self.generator)
        me = self.me()
        assert me is not None
        me.fresh = y
        self.fc.register_forward_hook(lambda *_: None)
        with self.lock:
            return self.on(y)


def hooked(collect: list[Any]) -> nn.Module:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    net[0].register_forward_hook(lambda m, x, y: collect.append(y))
    net.count = 0  # type: ignore[assignment]

    def before(m: nn.Module, x: Any) -> None:
        net.count += 1  # type: ignore[operator]

    net.register_forward_pre_hook(before)
    return net


def patched(forward: Callable[..., Any]) -> nn.Module:
    """With a forward of its own, as those who change a library's network do."""
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    net.forward = types.MethodType(forward, net)  # type: ignore[method-assign]
    return net


def closed() -> nn.Module:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    plain = net.forward
    net.forward = lambda x: plain(net[0](x))  # type: ignore[method-assign]
    return net


def cyclic() -> nn.Module:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    net[0].holder = [net]
    net[0].itself = net[0]
    return net


NET: list[nn.Module] = []


class ByName(nn.Module):
    """Its forward calls it by a name in its file, and not by `self`."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.seen: list[Any] = []
        NET[:] = [self]

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        net: Any = NET[0]
        net.seen.append(x)
        return net.fc(x)  # type: ignore[no-any-return]


class ByNameItsWeight(ByName):
    def forward(self, x: Tensor) -> Tensor:
        net: Any = NET[0]
        net.seen.append(x)
        return nn.functional.linear(x, net.fc.weight, net.fc.bias)


REGISTRY: dict[int, float] = {}


class Registered(nn.Module):
    """Looked up by what it is, not by what it is like."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        REGISTRY[id(self)] = 2.0

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x) * REGISTRY[id(self)]


class Ending(nn.Module):
    """Frees something at its end, which is to happen once."""

    ended = 0

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.seen: list[Any] = []
        self.conf = Frozen(a=1)

    def __del__(self) -> None:
        Ending.ended += 1

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        self.last = x
        return self.fc(x)


MODULES: dict[str, tuple[Callable[[], nn.Module], int | None]] = {
    "keeping": (Keeping, 32),
    "frozen around": (lambda: nn.Sequential(nn.Linear(4, 4), Keeping(), nn.Linear(4, 2)), 56),
    "hooked": (lambda: hooked([]), 16),
    "patched": (lambda: patched(lambda self, x: self[0](self[0](x))), 32),
    "closed": (closed, 32),
    "cyclic": (cyclic, 16),
    "parallel": (lambda: nn.DataParallel(nn.Linear(4, 4)), 16),
    "weight norm": (lambda: torch.nn.utils.weight_norm(nn.Linear(4, 4)), 16),
    "orthogonal": (lambda: nn.utils.parametrizations.orthogonal(nn.Linear(4, 4)), None),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(4), nn.ReLU()), 16),
    "a lock and a file": (of(lambda m, x: m.a(x), a=lambda: nn.Linear(4, 4)), 16),
    # lent: no copy can be made, or it will not do
    "scripted": (lambda: torch.jit.script(nn.Sequential(nn.Linear(4, 4))), 16),
    "scripted beside": (lambda: nn.Sequential(Keeping(), torch.jit.script(nn.Linear(4, 4))), 48),
    "with an end": (Ending, 16),
    "by name": (ByName, 16),
    "by name, its weight": (ByNameItsWeight, 16),
    "registered": (Registered, 16),
}
"""With the MACs of 4 numbers."""

LENT = ("scripted", "scripted beside", "with an end", "by name", "by name, its weight", "registered")
"""Those that are run themselves."""


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """The modules that are lent while a test runs."""
    found: list[nn.Module] = []
    original = borrow._lend

    def lend(root: nn.Module, *given: Any) -> None:
        found.append(root)
        original(root, *given)

    monkeypatch.setattr(borrow, "_lend", lend)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_any_kind_comes_back(name: str, lent: list[nn.Module]) -> None:
    make, macs = MODULES[name]
    net = make()
    before = Snapshot(net)
    report = measure(net, (4,))
    assert before.same()
    assert report.total_macs == macs
    assert lent == [net] * (name in LENT)
    with suppress(RuntimeError):
        training_step(net, (4,), batch_size=2)
    assert before.same()
    net(torch.rand(2, 4))  # as well as ever


# What is kept outside the module.

MASKS: dict[int, Any] = {}
LAST: Any = None
SEEN: list[Any] = []
STATE = Helper()


@functools.lru_cache
def positions(number: int) -> Tensor:
    return torch.arange(number, device="meta" if SEEN and SEEN[-1].is_meta else "cpu").float()


class Caching(nn.Module):
    """Keeps in its class and in its file what depends on its input's size alone, for the next forward to use."""

    mask: Any = None
    fresh: Any = None
    store: dict[int, Any] = {}  # noqa: RUF012
    order = OrderedDict(a=1, b=2)  # noqa: RUF012
    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        self.keep(x)
        return self.fc(x * type(self).mask * MASKS[4] * self.store[4] * STATE.store[4] + positions(4))  # type: ignore[no-any-return]

    def keep(self, x: Tensor) -> Tensor:
        global LAST
        kind = type(self)
        kind.calls += 1
        kind.order.move_to_end("a")
        kind.fresh = kind.new = x  # type: ignore[attr-defined]
        SEEN.append(x)
        LAST = STATE.mask = x
        if kind.mask is None:
            kind.mask = MASKS[4] = kind.store[4] = STATE.store[4] = torch.ones(4, device=x.device)
        return x


@pytest.mark.parametrize("lend", [False, True])
def test_caches_outside_the_module_hold_nothing_of_the_run(lend: bool) -> None:
    net = nn.Sequential(Caching(), torch.jit.script(nn.ReLU()) if lend else nn.ReLU())
    names = set(vars(Caching))
    feats: list[Any] = []
    net[0].register_forward_hook(lambda m, x, y: feats.append(y))
    net.register_forward_hook(lambda m, x, y: SEEN.append(y))
    x = torch.rand(1, 4)
    assert measure(net, (4,)).total_macs == 16
    assert (Caching.mask, Caching.store, Caching.calls, LAST, MASKS, SEEN, STATE.mask, STATE.store) == (
        *(None, {}, 0, None, {}, [], None, {}),
    )
    assert (set(vars(Caching)), list(Caching.order), feats) == (names, ["a", "b"], [])
    real = net(x)
    assert real.device.type == "cpu"
    before = (Caching.mask, MASKS[4], len(SEEN), Caching.calls)
    measure(net, (4,))
    assert before == (Caching.mask, MASKS[4], len(SEEN), Caching.calls)
    assert torch.equal(net(x), real)


@pytest.fixture(autouse=True)
def _afresh() -> None:
    global LAST
    for one in (MASKS, SEEN, Caching.store, STATE.store, REGISTRY):
        one.clear()  # type: ignore[attr-defined]
    LAST = STATE.mask = Caching.mask = None
    Caching.calls, Caching.order = 0, OrderedDict(a=1, b=2)
    Caching.fresh = None
    positions.cache_clear()


class Lazy(OrderedDict[str, Any]):
    """A dictionary that loads what it is asked for, and cannot load everything."""

    def fails(self, *_: Any) -> Any:
        raise ValueError("it cannot be loaded")

    keys = values = items = __iter__ = __getitem__ = __len__ = __contains__ = fails


class LazyList(list[Any]):
    __iter__ = __getitem__ = __len__ = __contains__ = Lazy.fails


class Proxy:
    """What stands for an object that there is only elsewhere."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("there is none here")

    __class__ = property(lambda self: self.there)  # type: ignore[assignment]


FOREIGN = (Lazy(), LazyList([1]), Proxy(), weakref.proxy(Helper()))


class Beside(nn.Module):
    """A network whose class and attributes have what is not to be touched."""

    loaded, listed, proxy, dead = FOREIGN

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.held = list(FOREIGN)
        self.by_number = dict(enumerate(FOREIGN))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("lend", [False, True])
def test_what_loads_when_it_is_touched_is_not_touched(lend: bool) -> None:
    assert measure(nn.Sequential(Beside(), torch.jit.script(nn.ReLU()) if lend else nn.ReLU()), (4,)).total_macs == 16


class Child(nn.Module):
    def __init__(self, parent: nn.Module) -> None:
        super().__init__()
        vars(self)["parent"] = weakref.proxy(parent)

    def forward(self, x: Tensor) -> Tensor:
        return self.parent.fc(x)  # type: ignore[no-any-return]


def test_a_weak_proxy_of_the_parent() -> None:
    net = nn.Sequential(OrderedDict(fc=nn.Linear(4, 4)))
    net.child = Child(net)
    report = measure(net, (4,))
    assert (report.total_macs, report.total_params, report.status) == (32, 20, "complete")


class Remembering(nn.Module):
    """Has functools remember what it worked out, by method and by class."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    @functools.lru_cache  # noqa: B019
    def mask(self, number: int) -> Tensor:
        return torch.ones(number, number, device=self.fc.weight.device).tril()

    @staticmethod
    @functools.cache
    def scale(number: int) -> Tensor:
        return torch.ones(number, device=WHERE[-1])

    @classmethod
    @functools.cache
    def shift(cls, number: int) -> Tensor:
        return torch.ones(number, device=WHERE[-1])

    def forward(self, x: Tensor) -> Tensor:
        WHERE.append(x.device)
        return self.fc(self.mask(x.shape[0]) @ x * self.scale(4) + self.shift(4))  # type: ignore[no-any-return]


WHERE: list[torch.device] = []


def test_what_functools_remembers_is_not_of_the_run() -> None:
    net, x = Remembering(), torch.rand(3, 4)
    report = measure(net, input_data=x, batch_dim=None)
    assert report.total_macs == 3 * 3 * 4 + 3 * 16
    assert net(x).device == x.device
    real = net(x)
    measure(net, input_data=x, batch_dim=None)
    assert torch.equal(net(x), real)


# Faults and interrupts.


def stopped(run: Callable[[], Any], at: int) -> list[tuple[str, int]]:
    """Interrupt a run, as Ctrl-C does, at one of the lines that lend and take back; all those that it came to."""
    files = {one.__file__ for one in (borrow, restore)}
    passed: list[tuple[str, int]] = []

    def trace(frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            passed.append((frame.f_code.co_filename, frame.f_lineno))
            if len(passed) == at:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return passed


class Process:
    """What of the process a measurement changes while it runs."""

    kept = 0

    def __init__(self) -> None:
        self.found = self.now()

    @staticmethod
    def now() -> tuple[Any, ...]:
        modules = torch.nn.modules.module
        return (
            *(list(modules._global_forward_hooks), list(modules._global_forward_pre_hooks)),
            *(torch._C._len_torch_dispatch_stack(), torch.is_grad_enabled(), torch.get_rng_state().tolist()),
            *(random.getstate(), torch.backends.mkldnn.enabled, torch.backends.mha.get_fastpath_enabled()),
            *(Caching.mask, Caching.calls, list(Caching.order), list(Caching.store), len(MASKS), len(SEEN)),
        )

    def same(self) -> bool:
        now = self.now()
        assert now[: len(now) - self.kept] == self.found[: len(now) - self.kept]
        return True


def small(lend: bool) -> nn.Module:
    net = Caching()
    net.forward = net.keep  # type: ignore[method-assign]
    net.conf = Frozen(a=1)
    net.act = torch.jit.script(nn.ReLU()) if lend else nn.ReLU()
    return net


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("lend", [False, True])
def test_an_interrupt_at_any_line(lend: bool, real: bool, wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if real:
        monkeypatch.setattr("cnnzoo.pytorch.measuring.measure.on_meta", lambda dtype: refuse)
    net = small(lend)

    def run() -> None:
        measure(net, (4,))

    run()
    before, process = Snapshot(net), Process()
    if real:  # what a file's own names hold of it is right, and stays
        process.kept = 2
    passed = stopped(run, -1)
    last = {line: number for number, line in enumerate(passed, 1)}
    assert len(last) > 60
    for at in [*last.values()][:: 1 if wide else 7]:
        with pytest.raises(KeyboardInterrupt):
            stopped(run, at)
        assert before.same()
        assert process.same()


def refuse(tensor: Tensor) -> Tensor:
    raise borrow.NoTwinError("no meta today")


@pytest.mark.parametrize("lend", [False, True])
def test_an_undo_step_that_fails_keeps_none_from_running(lend: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    net = small(lend)
    measure(net, (4,))
    before, process = Snapshot(net), Process()
    number = 0
    failing = 0
    take = restore._take

    def failing_once(steps: list[Any], done: set[int]) -> Any:
        nonlocal number
        for place, step in enumerate(steps if not done else []):
            number += 1
            if number == failing:
                steps[place] = once(step)
        return take(steps, done)

    monkeypatch.setattr(restore, "_take", failing_once)
    measure(net, (4,))
    for _ in range(number):
        failing += 1
        number = 0
        measure(net, (4,))
        assert before.same()
        assert process.same()


def once(step: Callable[[], Any]) -> Callable[[], Any]:
    calls: list[None] = []

    def failing() -> None:
        calls.append(None)
        if len(calls) == 1:
            raise OSError("not now")
        step()

    return failing


def test_what_cannot_be_undone_is_told_after_all_else_was() -> None:
    done: list[int] = []

    def fails() -> None:
        raise OSError("never")

    with pytest.raises(OSError, match="never"), restore.undoing() as undo:
        undo += [lambda: done.append(1), fails, lambda: done.append(2)]
    assert done == [2, 1]


# Threads.


def test_calls_of_other_threads_are_not_counted() -> None:
    net, other = nn.Sequential(*[nn.Linear(8, 8) for _ in range(20)]), nn.Sequential(nn.Linear(8, 8), nn.ReLU())
    stop = threading.Event()
    outputs: list[Tensor] = []

    def work() -> None:
        x = torch.rand(2, 8)
        while not stop.is_set():
            other(x)
            outputs.append(net(x))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        reports = [measure(net, (8,)) for _ in range(6)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {(one.total_macs, one.status, len(one.rows)) for one in reports} == {(20 * 64, "complete", 20)}
    assert outputs
    assert not any(one.is_meta for one in outputs)


@pytest.mark.parametrize("name", ["keeping", "scripted beside", "with an end"])
def test_many_threads_measure_one_module(name: str) -> None:
    make, macs = MODULES[name]
    net = make()
    before = Snapshot(net)
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(measure(net, (4,)).total_macs)
        except BaseException as error:
            found.append(error)

    threads = [threading.Thread(target=work) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [macs] * 50
    assert before.same()


def test_a_forward_in_threads_of_its_own_is_unknown() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        made: list[Tensor] = []
        thread = threading.Thread(target=lambda: made.append(self.a(x)))
        thread.start()
        thread.join()
        return made[0]

    report = measure(of(forward, a=lambda: nn.Linear(4, 4))(), (4,))
    assert (report.status, report.total_macs, report.total_params) == ("partial", None, 20)
    assert "another thread" in str(report.unknown[0])


def in_a_thread(work: Callable[[], Tensor]) -> Tensor:
    made: list[Tensor] = []
    thread = threading.Thread(target=lambda: made.append(work()))
    thread.start()
    thread.join()
    return made[0]


def in_a_pool(work: Callable[[], Tensor]) -> Tensor:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.mark.parametrize("run", [in_a_thread, in_a_pool])
def test_functions_in_threads_of_a_forward_s_own_are_unknown(run: Callable[[Callable[[], Tensor]], Tensor]) -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        return run(lambda: functional.linear(x, self.a.weight))

    before = threading.Thread.start, ThreadPoolExecutor.submit
    report = measure(of(forward, a=lambda: nn.Linear(4, 4))(), (4,))
    assert (report.status, report.total_macs, report.total_params) == ("partial", None, 20)
    assert "what another thread does is not seen" in str(report.unknown[0])
    assert before == (threading.Thread.start, ThreadPoolExecutor.submit)
