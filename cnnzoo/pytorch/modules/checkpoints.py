"""Weights from files into modules: strictly, all or nothing, and without running anything in the file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from http.client import HTTPException
from math import prod
from pathlib import Path

import torch
from torch import nn

from ...arch.norms import COUNTER
from ...report import Shape
from ...weights.archives import check_sums
from ...weights.headers import CheckpointError, Entry, Rename, read_header
from ...weights.matching import auxiliary, compare, heads, likeliest, listed
from ...weights.pickles import Broken, printable
from ...weights.published import Published, Source, find_weights
from ...weights.reading import Shapes, adapted, read_as
from ...words import counted
from ...words import listed as enumerated

LEAVE_OUT = "pass drop_head=True to leave the head out"


@dataclass(frozen=True)
class Loaded:
    """What `load_checkpoint` or `rebuild` did, by the network's names."""

    loaded: tuple[str, ...]
    """The tensors that have the values of the file, or of the original."""
    dropped: tuple[str, ...] = ()
    """The tensors of the file, or of the original, that were left out."""
    kept: tuple[str, ...] = ()
    """The network's tensors that have the values they had, which in what is built are its first."""
    notes: tuple[str, ...] = ()
    """What was done to the file's names, in words."""

    def __str__(self) -> str:
        parts = [f"{counted(len(self.loaded), 'tensors')} loaded"]
        parts += [f"left out: {enumerated(map(printable, self.dropped))}"] if self.dropped else []
        return "; ".join([*parts, *self.notes])


def load_checkpoint(
    net: nn.Module,
    path: str | os.PathLike[str],
    *,
    drop_head: bool = False,
    key: str | None = None,
    rename: Rename | None = None,
) -> Loaded:
    """Load a safetensors file, or what torch.save wrote (`.pth`), into `net`; return what was done.

    Every tensor of the network must be in the file, by name and shape, and every one of the file's in the
    network; values are cast to the network's dtype and device. `drop_head=True` leaves out a classifier of
    another number of classes, and heads that only one of the two has: `Loaded.dropped` names the tensors
    left out, `Loaded.kept` the network's that keep their values. These are read as they are meant, and
    `Loaded.notes` says so:

    - A state dict under a key ("state_dict", "model", …) beside whatever else was saved: the one that fits.
    - A prefix ("module.", "backbone.", "module.encoder_q."): the one whose remainder fits. Tensors beside it are left
      out, but for those that have a name of the network ("fc.weight" beside "backbone.conv1.weight").
    - Where several fit, averaged weights ("state_dict_ema", "teacher") are taken, a warning says so, and `key` chooses
      another: `key="state_dict"`, `key="module.encoder_k."`.
    - What DataParallel, FSDP and torch.compile put into names; names of torchvision's DenseNets before 2018 and VGGs
      before 2017, and of timm's VGGs. `rename` is for the rest: beginnings of names and what stands there instead,
      `{"encoder.": "", "head.": "fc."}`, or a function from a name to another, or to None to leave a tensor out.
    - A linear layer's weight for a convolution over the same maps, and back; a first convolution of other input
      channels, which are summed into one, or repeated and scaled, as in timm.
    - Batch norms without `num_batches_tracked` (before torch 0.4.1), which start at 0.

    Tensors do not tell `resnet50` from `resnet50_v1`. Raises CheckpointError for a file that cannot be read or does not
    fit, tensor by tensor with both shapes and the likeliest reason; the network is then as it was. Nothing in a
    file is run: what is beside the weights is not read, and a pickle that calls functions of `os`, `subprocess` and
    their like is refused.
    """
    return _load(net, path, heads if drop_head else _none, key, rename)


def take_matching(net: nn.Module, state: Mapping[str, torch.Tensor]) -> Loaded:
    """Give `net` those values of a state dict whose names and shapes are its own, and leave its others as they are."""
    own = {name: value for name, value in net.state_dict().items() if isinstance(value, torch.Tensor)}
    taken = {name: state[name] for name, value in own.items() if name in state and state[name].shape == value.shape}
    net.load_state_dict({**net.state_dict(), **taken})
    known = {id(value) for value in taken.values()}  # a tensor of several names is left out under none
    return Loaded(
        loaded=tuple(taken),
        dropped=tuple(name for name, value in state.items() if name not in taken and id(value) not in known),
        kept=tuple(name for name in own if name not in taken),
    )


def load_pretrained(
    net: nn.Module, name: str, pretrained: bool | Source, *, drop_head: bool = False, progress: bool = True
) -> Loaded | None:
    """Load what `create_model`'s `pretrained` says into `net`, which is a registered network: `name`.

    A path is loaded as by `load_checkpoint`. A file that torchvision publishes, the first of them for True, is
    downloaded once into torch.hub's folder, shared with torchvision, and its SHA-256 is checked against its name each
    time. It has 1000 classes: for others, `drop_head=True`. Auxiliary heads that the network has not are left out;
    torchvision says that GoogLeNet's, which are in the file, were not trained. False and None load nothing.

    Raises CheckpointError as `load_checkpoint` does, and where the file cannot be downloaded or is not the published
    one.
    """
    source = find_weights(name, pretrained)
    if isinstance(source, Published):
        return _load(net, _download(name, source, progress), heads if drop_head else auxiliary)
    return None if source is None else load_checkpoint(net, source, drop_head=drop_head)


def _none(file: Shapes, network: Shapes) -> set[str]:
    return set()


def _load(
    net: nn.Module,
    path: str | os.PathLike[str],
    left_out: Callable[[Shapes, Shapes], set[str]],
    key: str | None = None,
    rename: Rename | None = None,
) -> Loaded:
    header = read_header(path, key=key, rename=rename)
    state = {name: value for name, value in net.state_dict().items() if isinstance(value, torch.Tensor)}
    if any(value.is_meta for value in state.values()):
        raise CheckpointError('the network is on the meta device and holds no values: net.to_empty(device="cpu") first')
    network = {name: tuple(value.shape) for name, value in state.items()}
    reading = read_as(header.shapes(), network)
    file, adapts = reading.shapes, adapted(reading.shapes, network)
    out = left_out(file, network)
    differences = [one for one in compare(file, network) if one.name not in out and one.name not in adapts]
    if differences:
        reason = likeliest(file, network, differences, LEAVE_OUT)
        lines = [f"{path} does not fit the network; nothing was loaded", *listed(differences)]
        raise CheckpointError("\n  ".join(lines) + (f"\n{reason}" if reason else ""))
    entries = {new: header.dicts[reading.key][old] for old, new in reading.names.items() if new not in out}
    for name, entry in entries.items():
        dtype, own = _torch_dtype(entry.dtype), state[name].dtype
        if _numbers(dtype) != _numbers(own):
            raise CheckpointError(
                f"{path} does not fit the network; nothing was loaded: {name} is {str(dtype)[6:]} in the file, "
                f"{str(own)[6:]} in the network"
            )
    values = _values(header.path, entries)
    new_state = {name: _adapted(value, network[name]) for name, value in values.items()}
    counters = [name for name in network if name.endswith(COUNTER) and name not in file and name not in out]
    zeros = {name: torch.zeros(network[name], dtype=state[name].dtype) for name in counters}
    net.load_state_dict({**net.state_dict(), **zeros, **new_state})
    if reading.choice:
        warnings.warn(f"{path}: {reading.choice}", stacklevel=3)
    return Loaded(
        loaded=tuple(name for name in network if name in new_state),
        dropped=(*(name for name in file if name not in new_state), *reading.stray),
        kept=tuple(name for name in network if name not in new_state and name not in zeros),
        notes=(
            *reading.notes,
            *header.unread(reading.key),
            *(words for name, words in adapts.items() if name in new_state),
            *([f"it has no {COUNTER}: they start at 0"] if counters else []),
        ),
    )


def _torch_dtype(name: str) -> torch.dtype:
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise CheckpointError(f"torch {torch.__version__} has no dtype {name}; nothing was loaded")
    return dtype


def _numbers(dtype: torch.dtype) -> str:
    """The numbers that a dtype is for: of one kind, values are cast."""
    return "complex" if dtype.is_complex else "real" if dtype.is_floating_point else "whole"


def _values(path: Path, entries: Mapping[str, Entry]) -> dict[str, torch.Tensor]:
    """The tensors at these places of a file, which is mapped, so that they are copied once."""
    try:
        with path.open("rb") as file:
            check_sums(file, path.stat().st_size)
        size = max((entry.stop for entry in entries.values()), default=0)
        data = torch.from_file(str(path), size=size, dtype=torch.uint8) if size else torch.empty(0, dtype=torch.uint8)
    except (RuntimeError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read: {str(error).splitlines()[0]}; nothing was loaded") from None
    except Broken as error:
        raise CheckpointError(f"{path} {error}; nothing was loaded") from None
    return {name: _value(data, entry) for name, entry in entries.items()}


def _value(data: torch.Tensor, entry: Entry) -> torch.Tensor:
    dtype = _torch_dtype(entry.dtype)
    if not all(entry.shape):
        return torch.empty(entry.shape, dtype=dtype)
    values = data[entry.start : entry.stop]
    if entry.start % dtype.itemsize:  # files may have that, a view of another dtype may not
        values = values.clone()
    return values.view(dtype).as_strided(entry.shape, entry.stride)


def _adapted(value: torch.Tensor, shape: Shape) -> torch.Tensor:
    """A file's tensor in the network's shape, by what `cnnzoo.weights.reading.adapted` says."""
    if value.shape == shape:
        return value
    if value.numel() == prod(shape) and value.dim() != len(shape):
        return value.reshape(shape)
    there, wanted = value.shape[1], shape[1]
    value = value.to(torch.promote_types(value.dtype, torch.float32))
    if wanted == 1:
        return value.sum(1, keepdim=True)
    return value.repeat(1, -(-wanted // there), 1, 1)[:, :wanted] * (there / wanted)


def _download(name: str, weights: Published, progress: bool) -> Path:
    """The published file, from torch.hub's folder where it is there already."""
    path = weights.path or Path(torch.hub.get_dir(), "checkpoints", weights.file)
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(weights.url, str(path), weights.sha256, progress)
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
