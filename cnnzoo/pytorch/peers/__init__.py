"""What other tools print for a module: those that are installed are run, each in a process of its own."""

from __future__ import annotations

import faulthandler
import io
import os
import signal
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ...report import Report
from ...words import counted, shortened
from ..measuring.borrow import set_mode
from ..measuring.inputs import Inputs, dtype_of
from ..measuring.readings import read_inputs
from ..measuring.trace import first_line
from ..measuring.tree import modules, parameters

SECONDS = 20
"""How long a tool may take."""

MEMORY = 4_000_000_000
"""How many bytes a tool may take beyond those that this process has, where /proc says how many that are."""


def printed(
    module: nn.Module,
    input_size: Any,
    report: Report,
    *,
    batch_size: int | None = None,
    dtypes: Sequence[str | torch.dtype | None] | None = None,
) -> dict[str, int | str]:
    """By tool, its number for one sample in eval mode, or why there is none.

    Sizes and dtypes are those with which the module was measured, and `report` is what came of it. The module itself is
    not run: each tool has that of a forked process, on the CPU.
    """
    readings = read_inputs(module, input_size, None, batch_size, 0, dtype_of(module), {}, dtypes)
    measured = (report.input_size, *report.more_inputs)
    reading = next((one for one in readings if one.inputs.shapes == measured), readings[0])
    if any(map(is_lazy, parameters(module))):
        return dict.fromkeys(TOOLS, "Skipped: its lazy layers are not made yet.")
    return {name: _said(tool, module, reading.inputs.single()) for name, tool in TOOLS.items()}


class Runnable(NamedTuple):
    """A tool that can be run: the package that has it, and its number of a module and the positional inputs."""

    package: str
    number: Callable[[nn.Module, tuple[Any, ...]], float | None]


def _said(tool: Runnable, module: nn.Module, inputs: Inputs) -> int | str:
    if find_spec(tool.package) is None:
        return f"Not installed: pip install {tool.package}"
    if "fork" not in get_all_start_methods():
        return "Skipped: tools are run in a process of their own, and this system cannot fork one."
    return _apart(partial(_run, tool, module, inputs))


# In a process of its own: a tool may leave hooks and patches behind, take exponential time, or end the process, as
# torch.jit.trace does where a forward catches an exception


def _apart(work: Callable[[], int | str]) -> int | str:
    """What `work` returns in a fork of this process, or what kept it from that."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(work, sender))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: what they hold, the child does not need
            child.start()
    except OSError as error:
        return f"Skipped: no process for it: {error.strerror}."
    sender.close()
    group = child.pid
    assert group is not None
    try:
        if not receiver.poll(SECONDS):
            return f"Skipped: not done after {counted(SECONDS, 'seconds')}."
        found: int | str = receiver.recv()
        return found
    except EOFError:
        child.join()
        code = child.exitcode or 0
        return f"Fails: its process ends with {signal.Signals(-code).name if code < 0 else f'exit code {code}'}."
    finally:
        with suppress(ProcessLookupError):  # where it has no group yet, or all of it has ended
            os.killpg(group, signal.SIGKILL)
        child.kill()
        child.join()
        receiver.close()


def _work(work: Callable[[], int | str], sender: Connection) -> None:
    os.setpgid(0, 0)  # what it starts ends with it
    faulthandler.disable()
    torch.set_num_threads(1)  # the threads of before are not in a fork, and would be waited for
    _limit_memory()
    warnings.simplefilter("ignore")
    for descriptor in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    sender.send(work())


def _limit_memory() -> None:
    import resource

    with suppress(OSError, ValueError):  # no /proc; or a limit that is lower already
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _run(tool: Runnable, module: nn.Module, inputs: Inputs) -> int | str:
    words = io.StringIO()
    try:
        _give_values(module)
        set_mode(module, False)
        with redirect_stdout(words), redirect_stderr(words):
            number = tool.number(module, inputs.moved("cpu").args)
    except Exception as error:
        if isinstance(error, MemoryError) or "can't allocate memory" in str(error.__cause__ or error):
            return f"Skipped: it takes more than {MEMORY / 1e9:g} GB of memory."
        return f"Fails: {first_line(error.__cause__ or error)}"
    if number is None:  # ptflops prints what was raised
        *_, last = ["without a word", *words.getvalue().splitlines()]
        return f"Fails: {shortened(last)}"
    return int(number)


def _give_values(root: nn.Module) -> None:
    """Zeros in the place of parameters and buffers that are not on the CPU: no tool counts by values."""
    made: dict[int, tuple[Tensor, Tensor]] = {}
    for module in modules(root):
        held: dict[str, Tensor | None]
        for held in (module._parameters, module._buffers):  # type: ignore[assignment]
            for name, tensor in held.items():
                if tensor is not None and tensor.device.type != "cpu":
                    made.setdefault(id(tensor), (tensor, _zeros(tensor)))
                    held[name] = made[id(tensor)][1]


def _zeros(tensor: Tensor) -> Tensor:
    zeros = torch.zeros(tensor.shape, dtype=tensor.dtype)
    return nn.Parameter(zeros, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else zeros


# The tools


def _fvcore(module: nn.Module, args: tuple[Any, ...]) -> float:
    return float(import_module("fvcore.nn").FlopCountAnalysis(module, args).total())


def _ptflops(module: nn.Module, args: tuple[Any, ...], backend: str) -> float | None:
    given = args[0] if len(args) == 1 else dict(zip(signature(module.forward).parameters, args, strict=False))
    found: float | None = import_module("ptflops").get_model_complexity_info(
        module,
        (1,),
        input_constructor=lambda _: given,
        backend=backend,
        as_strings=False,
        print_per_layer_stat=False,
        verbose=False,
    )[0]
    return found


def _thop(module: nn.Module, args: tuple[Any, ...]) -> float:
    return float(import_module("thop").profile(module, args, verbose=False)[0])


def _torchinfo(module: nn.Module, args: tuple[Any, ...]) -> float:
    from torchinfo import summary

    return float(summary(module, input_data=list(args), verbose=0, mode="eval").total_mult_adds)


def _flop_counter(module: nn.Module, args: tuple[Any, ...]) -> float:
    """What torchvision would publish for the module as it does for its own: half of what torch counts."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(*args)
    return int(counter.get_total_flops()) // 2


TOOLS = {
    "fvcore": Runnable("fvcore", _fvcore),
    "ptflops, aten backend": Runnable("ptflops", partial(_ptflops, backend="aten")),
    "ptflops": Runnable("ptflops", partial(_ptflops, backend="pytorch")),
    "thop": Runnable("thop", _thop),
    "torchinfo": Runnable("torchinfo", _torchinfo),
    "torchvision": Runnable("torch", _flop_counter),
}
"""Those of `cnnzoo.features.peers` that can be run on a module, by their names there."""
