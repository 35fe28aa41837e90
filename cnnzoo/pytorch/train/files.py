"""The files of a run: weights and the state that a killed run goes on from, each written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from ...weights.headers import CheckpointError

KEY = "cnnzoo"
"""Under which a file of weights says how they were trained."""


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside it, which takes its name when it is whole and on the disk."""
    part = path.with_name(f".{path.name}.part")
    write(part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, path)


def write_weights(path: Path, state: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """A state dict as safetensors, with what it is about: one entry, as safetensors orders several at random."""
    whole = {name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in state.items()}
    data = save(whole, {KEY: json.dumps(about)})
    replace(path, lambda part: part.write_bytes(data))


def read_weights(path: Path) -> dict[str, Tensor]:
    """What `write_weights` wrote. Raises `CheckpointError`."""
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}: give another folder") from None


def read_about(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file of weights says of how they were trained; nothing where it says nothing."""
    try:
        with safe_open(path, "pt") as file:
            found = json.loads((file.metadata() or {}).get(KEY, "{}"))
    except (SafetensorError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """What torch.save writes of tensors, numbers and texts."""
    replace(path, lambda part: torch.save(dict(state), part))


def read_state(path: Path) -> dict[str, Any]:
    """What `write_state` wrote; nothing in it is run. Raises `CheckpointError`."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, AttributeError, OSError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise CheckpointError(f"{path} cannot be read ({said}): give another folder, or delete it") from None
    if not isinstance(found, dict) or not {"model", "optimizer", "stopping", "header", "history"} <= found.keys():
        raise CheckpointError(f"{path} is no state of a training: give another folder")
    return found
