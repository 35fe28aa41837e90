"""What is inside of a network: weights, maps and gradients. A user's module stays as it was: a copy is looked into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ...errors import CnnzooError, InvalidValueError
from ...words import hint, listed, quoted, sides
from ..measuring.borrow import alone, copied, on_loan
from ..measuring.inputs import dtype_of
from ..modules.checkpoints import load_checkpoint
from ..modules.init import Scheme, initialise

T = TypeVar("T")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of torch from this seed; behind it they go on as if there had been none."""
    with alone():
        torch.manual_seed(seed)
        yield


def with_weights(net: nn.Module, file: Any, use: Callable[[nn.Module], T], *, own: bool) -> T:
    """What `use` makes of a module in eval mode, with the weights of a file where there is one: of a copy, unless the
    module is ours to change."""

    def used(module: nn.Module) -> T:
        if any(one.is_meta for one in module.state_dict().values() if isinstance(one, Tensor)):
            raise InvalidValueError("the module is on the meta device and has no values to look at")
        if file is not None:
            load_checkpoint(module, file)
        return use(module.eval())

    return used(net) if own else on_loan(net, copied(None), lambda loan: used(loan.module), grad=True)


def layer_of(net: nn.Module, path: str) -> nn.Module:
    """The layer or block at a path; InvalidValueError, with what may have been meant, where there is none."""
    known: dict[str, nn.Module] = dict(net.named_modules())
    if path not in known:
        raise InvalidValueError(f"no layer {quoted(path)}; {hint(path, filter(None, known))}")
    return known[path]


def weight_of(net: nn.Module, path: str) -> Tensor:
    """The weight of a layer, on the CPU; InvalidValueError for a layer or a block without one."""
    layer = layer_of(net, path)
    weight: Any = getattr(layer, "weight", None)
    if not isinstance(weight, Tensor):
        inside = [f"{path}.{name}" if path else name for name in _weighted(layer)]
        what = f"a block: say which layer of it, {listed(inside, 8)}" if inside else "a layer without a weight"
        others = "" if inside else f"; those with one are {listed(_weighted(net), 8)}"
        raise InvalidValueError(f"{path or 'the network itself'} ({type(layer).__name__}) is {what}{others}")
    if is_lazy(weight):
        raise InvalidValueError(f"{path} is lazy and has no weight before its first forward: run the network once")
    return weight.detach().cpu()


def _weighted(net: nn.Module) -> list[str]:
    return [name for name, one in net.named_modules() if name and isinstance(getattr(one, "weight", None), Tensor)]


class ForwardError(CnnzooError, RuntimeError):
    """A network that fails with what it was given to look at."""

    exit_code = 1


class _Reached(BaseException):
    """All layers that are looked at have run. No network is to catch it."""


def outputs(net: nn.Module, layers: Sequence[str], x: Tensor) -> dict[str, Tensor]:
    """What layers or blocks give in their first call of a run, which ends there. `ForwardError` where the run fails,
    InvalidValueError for a layer that does not run or gives no tensor."""
    found: dict[str, Tensor] = {}

    def keep(path: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                raise InvalidValueError(f"{path or 'the network'} gives {type(output).__name__}, not a tensor")
            found.setdefault(path, output if len(layers) == 1 else output.clone())  # what comes next may write over it
            if len(found) == len(layers):
                raise _Reached

        return hook

    handles = [layer_of(net, path).register_forward_hook(keep(path)) for path in layers]
    try:
        net(x)
    except _Reached:
        return found
    except CnnzooError:
        raise
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        raise ForwardError(f"it fails with an input of {sides(tuple(x.shape[1:]))}: {reason}") from error
    finally:
        for handle in handles:
            handle.remove()
    missing = next(path for path in layers if path not in found)
    raise InvalidValueError(f"{missing} is not run at inference")


def maps(net: nn.Module, layers: Sequence[str], image: Any, mean: Any, std: Any) -> dict[str, Any]:
    """What layers, of which "" is the network, make of a picture, (channels, height, width) of 0 to 255, as arrays of
    one sample. It is scaled to 1, less the mean of the pictures that the weights are for, over their deviation."""
    kind = torch.promote_types(dtype_of(net), torch.float32)
    x = torch.tensor(image, dtype=kind) / 255
    about = (torch.tensor(one, dtype=kind).reshape(-1, 1, 1) for one in (mean, std))
    with torch.no_grad():
        found = outputs(net, layers, _like(net, (x - next(about)) / next(about))[None])
        return {path: found[path][0].float().cpu().numpy().copy() for path in layers}


def gradient(net: nn.Module, layer: str, size: Sequence[int], place: Sequence[int], seed: int) -> Any:
    """The squares of the gradient of a position of a layer's output, summed over its channels, by an input of normal
    noise, as an array (height, width): summed over the input's channels."""
    generator = torch.Generator().manual_seed(seed)
    x = _like(net, torch.randn((1, *size), generator=generator, dtype=torch.float64)).requires_grad_()
    with torch.enable_grad():
        y = outputs(net, [layer], x)[layer]
        (found,) = torch.autograd.grad(y[0, :, place[0], place[1]].sum(), x, allow_unused=True)
    return (
        (x if found is None else found)[0].detach().double().square().sum(0).mul(float(found is not None)).cpu().numpy()
    )


def _like(net: nn.Module, x: Tensor) -> Tensor:
    """An input in the network's dtype, on its device."""
    device = next((one.device for one in net.parameters()), torch.device("cpu"))
    return x.to(device, dtype_of(net))


def redrawn(net: nn.Module, scheme: Scheme | None, seed: int) -> None:
    """Other first weights, which the seed draws."""
    with seeded(seed):
        initialise(net, scheme)
