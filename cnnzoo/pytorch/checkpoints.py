"""Weights from files into modules: strictly, all or nothing, and without running anything in the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import file_digest
from http.client import HTTPException
from pathlib import Path

import torch
from torch import nn

from ..weights.headers import CheckpointError, Entry, Header, read_header, unwrap
from ..weights.matching import COUNTER, Shapes, auxiliary, compare, heads, likeliest, listed, renamed
from ..weights.published import published

LEAVE_OUT = "pass drop_head=True to leave its head out"


@dataclass(frozen=True)
class Loaded:
    """What `load_checkpoint` did, by the network's names."""

    loaded: tuple[str, ...]
    """The tensors that have the file's values."""
    dropped: tuple[str, ...] = ()
    """The file's tensors that were left out."""
    kept: tuple[str, ...] = ()
    """The network's tensors that have the values they had."""
    notes: tuple[str, ...] = ()
    """What was done to the file's names, in words."""

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} tensors loaded"]
        parts += [f"left out: {', '.join(self.dropped)}"] if self.dropped else []
        return "; ".join([*parts, *self.notes])


def load_checkpoint(net: nn.Module, path: str | os.PathLike[str], *, drop_head: bool = False) -> Loaded:
    """Load a safetensors file, or what torch.save wrote (`.pth`), into `net`; return what was done.

    Every tensor of the network must be in the file, by name and shape, and every one of the file's in the
    network; values are cast to the network's dtype and device. `drop_head=True` leaves out a classifier of
    another number of classes, and heads that only one of the two has: `Loaded.dropped` names the tensors
    left out, `Loaded.kept` the network's that keep their values. These are read as they are meant, and
    `Loaded.notes` says so: a state dict under "state_dict", "model_state_dict" or "model"; a prefix that all
    names share (`module.` of DataParallel); torchvision's old DenseNet names; batch norms without
    `num_batches_tracked` (before torch 0.4.1), which start at 0. Tensors do not tell `resnet50` from
    `resnet50_v1`.

    Raises CheckpointError for a file that cannot be read or does not fit, tensor by tensor with both
    shapes and the likeliest reason; the network is then as it was. A pickle that would run code is refused.
    """
    return _load(net, path, heads if drop_head else _none)


def load_pretrained(
    net: nn.Module, name: str, pretrained: bool | str | os.PathLike[str] | None, *, drop_head: bool = False
) -> Loaded | None:
    """Load what `create_model`'s `pretrained` says into `net`, which is a registered network: `name`.

    A path is loaded as by `load_checkpoint`. True is the file that torchvision publishes, if the network
    is one of torchvision's: it is downloaded once into torch.hub's folder, shared with torchvision, and
    its SHA-256 is checked against its name each time. It has 1000 classes: for others, `drop_head=True`.
    Auxiliary heads that the network has not are left out. False and None load nothing.

    The input must be normalised as `cnnzoo.weights.published.PUBLISHED[name]` says: by ImageNet's mean and
    deviation, but for `googlenet_tv` to [-1, 1], since its weights come from TensorFlow. torchvision's own
    pretrained GoogLeNet converts its input inside (`transform_input=True`); this network does not. Its
    auxiliary heads are in the file, but torchvision says that they were not trained.

    Raises CheckpointError as `load_checkpoint` does, for a network without published weights, and where
    the file cannot be downloaded or is not the published one.
    """
    if pretrained is None or pretrained is False:
        return None
    if pretrained is True:
        return _load(net, _download(name), heads if drop_head else auxiliary)
    return load_checkpoint(net, pretrained, drop_head=drop_head)


def _none(file: Shapes, network: Shapes) -> set[str]:
    return set()


def _load(net: nn.Module, path: str | os.PathLike[str], left_out: Callable[[Shapes, Shapes], set[str]]) -> Loaded:
    header = read_header(path)
    state = {name: value for name, value in net.state_dict().items() if isinstance(value, torch.Tensor)}
    if any(value.is_meta for value in state.values()):
        raise CheckpointError('the network is on the meta device and holds no values: net.to_empty(device="cpu") first')
    names, notes = renamed(header.entries, state)
    file = {names[name]: shape for name, shape in header.shapes.items()}
    network = {name: tuple(value.shape) for name, value in state.items()}
    out = left_out(file, network)
    differences = [difference for difference in compare(file, network) if difference.name not in out]
    if differences:
        reason = likeliest(file, network, differences, LEAVE_OUT)
        lines = [f"{path} does not fit the network; nothing was loaded", *listed(differences)]
        raise CheckpointError("\n  ".join(lines) + (f"\n{reason}" if reason else ""))
    loaded = {name: names[name] for name in header.entries if names[name] not in out}
    for name, new in loaded.items():
        dtype, own = _torch_dtype(header.entries[name].dtype), state[new].dtype
        if dtype.is_floating_point != own.is_floating_point:
            raise CheckpointError(
                f"{path} does not fit the network; nothing was loaded: {new} is {str(dtype)[6:]} in the file, "
                f"{str(own)[6:]} in the network"
            )
    values = _read(header)
    new_state = {new: values[name] for name, new in loaded.items() if name in values}
    if len(new_state) < len(loaded) or any(value.shape != network[name] for name, value in new_state.items()):
        raise CheckpointError(f"{path} changed while it was read; nothing was loaded")
    counters = [name for name in network if name.endswith(COUNTER) and name not in file and name not in out]
    if counters:
        notes = (*notes, f"it has no {COUNTER}: they start at 0")
    zeros = {name: torch.zeros(network[name], dtype=state[name].dtype) for name in counters}
    net.load_state_dict({**net.state_dict(), **zeros, **new_state})
    return Loaded(
        loaded=tuple(name for name in network if name in new_state),
        dropped=tuple(name for name in file if name not in new_state),
        kept=tuple(name for name in network if name not in new_state and name not in zeros),
        notes=(*([f"the tensors were under {header.wrapper!r}"] if header.wrapper else []), *notes),
    )


def _torch_dtype(name: str) -> torch.dtype:
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise CheckpointError(f"torch {torch.__version__} has no dtype {name}; nothing was loaded")
    return dtype


def _read(header: Header) -> dict[str, torch.Tensor]:
    """The tensors by the file's names; the file is mapped, so most are read when they are copied."""
    path = str(header.path)
    try:
        if header.format == "safetensors":
            data = torch.from_file(path, size=max(one.stop for one in header.entries.values()), dtype=torch.uint8)
            return {name: _piece(data, one) for name, one in header.entries.items()}
        contents = torch.load(path, map_location="cpu", weights_only=True, mmap=header.format == "zip")
        return dict(unwrap(contents, torch.Tensor)[0])
    except CheckpointError:
        raise
    except Exception as error:  # what torch raises for a damaged file is of many kinds
        raise CheckpointError(
            f"{path} cannot be read by torch: {(str(error) or repr(error)).splitlines()[0]}"
        ) from None


def _piece(data: torch.Tensor, entry: Entry) -> torch.Tensor:
    values = data[entry.start : entry.stop]
    if entry.start % 8:  # the format allows it, a view of another dtype does not
        values = values.clone()
    return values.view(_torch_dtype(entry.dtype)).reshape(entry.shape)


def _download(name: str) -> Path:
    """The published file, from torch.hub's folder where it is there already."""
    weights = published(name)
    path = Path(torch.hub.get_dir(), "checkpoints", weights.file)
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(weights.url, str(path), weights.sha256)
        except (OSError, HTTPException, RuntimeError) as error:
            reason = getattr(error, "reason", error)
            raise CheckpointError(
                f"the weights of `{name}` could not be downloaded ({reason}); fetch {weights.url} yourself and pass "
                f"its path as pretrained="
            ) from None
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    if not digest.startswith(weights.sha256):
        raise CheckpointError(
            f"{path} is not the published file: its SHA-256 begins {digest[:8]}, not {weights.sha256}; delete it "
            f"to have it downloaded again from {weights.url}"
        )
    return path
