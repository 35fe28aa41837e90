"""The files of a run: weights and the state that a killed run goes on from, each written whole or not at all."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from ...errors import InvalidValueError
from ...files import replace
from ...weights.headers import CheckpointError
from ..measuring.trace import first_line

KEY = "cnnzoo"
"""Under which a file of weights says how they were trained."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder as long as a run writes to it. InvalidValueError where another one does; where a system has no such
    locks, nothing is held."""
    try:
        import fcntl
    except ImportError:  # on Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidValueError(f"another run writes to {folder}: wait for it, or give another folder") from None
        except OSError:  # of a file system without locks
            pass
        yield
    finally:
        os.close(handle)


def write_weights(path: Path, state: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """A state dict as safetensors, with what it is about: one entry, as safetensors orders several at random."""
    whole = {name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in state.items()}
    data = save(whole, {KEY: json.dumps(about)})
    replace(path, lambda part: part.write_bytes(data))


def read_weights(path: Path) -> dict[str, Tensor]:
    """What `write_weights` wrote. Raises `CheckpointError`."""
    try:
        if not path.is_file():
            raise FileNotFoundError("it is no file")
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}: give another folder") from None


def read_about(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file of weights says of how they were trained; nothing where it says nothing."""
    try:
        if not os.path.isfile(path):
            return {}
        with safe_open(path, "pt") as file:
            found = json.loads((file.metadata() or {}).get(KEY, "{}"))
    except (SafetensorError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """What torch.save writes of tensors, numbers and texts."""
    data = BytesIO()
    torch.save(dict(state), data)
    replace(path, lambda part: part.write_bytes(data.getbuffer()))


def read_state(path: Path) -> dict[str, Any]:
    """What `write_state` wrote; nothing in it is run. Raises `CheckpointError`."""
    try:
        if not path.is_file():
            raise ValueError("it is no file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the protocol of a pickle that is none of ours
            found = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        said = "it is damaged, or has more than tensors, numbers and texts"
        raise CheckpointError(f"{path} cannot be read ({said}): give another folder, or delete it") from None
    except (RuntimeError, EOFError, ValueError, LookupError, AttributeError, OSError) as error:
        said = first_line(error)
        raise CheckpointError(f"{path} cannot be read ({said}): give another folder, or delete it") from None
    parts = {"model": dict, "optimizer": dict, "stopping": dict, "header": dict, "history": list}
    if not isinstance(found, dict) or not all(isinstance(found.get(name), kind) for name, kind in parts.items()):
        raise CheckpointError(f"{path} is no state of a training: give another folder")
    return found
