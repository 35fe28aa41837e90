"""What a checkpoint says of its tensors, from its header alone: no torch, and nothing in the file is executed.

Three formats, told apart by content: safetensors; torch's zip; torch's bare pickles from before 1.6, in
which most of torchvision's files were published.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..report import Shape
from .pickles import LARGEST_HEADER, Broken, PickledTensor, read_pickles, read_zip

DTYPES = {
    "F64": ("float64", 8),
    "F32": ("float32", 4),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "F8_E4M3": ("float8_e4m3fn", 1),
    "F8_E5M2": ("float8_e5m2", 1),
    "I64": ("int64", 8),
    "I32": ("int32", 4),
    "I16": ("int16", 2),
    "I8": ("int8", 1),
    "U64": ("uint64", 8),
    "U32": ("uint32", 4),
    "U16": ("uint16", 2),
    "U8": ("uint8", 1),
    "BOOL": ("bool", 1),
}
"""torch's name and the bytes of an element, by safetensors' name."""

WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Where a training script keeps the state dict beside what else it saves; the first that is there counts."""


class CheckpointError(ValueError):
    """A file that is no checkpoint, or does not fit; the message says what is wrong and what would help."""


class Entry(NamedTuple):
    """A tensor in a file."""

    shape: Shape
    dtype: str
    """torch's name of it."""
    start: int = 0
    stop: int = 0
    """Its bytes in a safetensors file; in torch's formats, torch finds them."""


@dataclass(frozen=True)
class Header:
    """A file's tensors by name, in its order."""

    path: Path
    format: str
    """"safetensors", "zip" or "pickle"."""
    entries: Mapping[str, Entry]
    wrapper: str | None = None
    """The key of `WRAPPERS` that the tensors were found under."""

    @property
    def shapes(self) -> dict[str, Shape]:
        return {name: entry.shape for name, entry in self.entries.items()}


def read_header(path: str | os.PathLike[str]) -> Header:
    """The names, shapes and dtypes of a checkpoint's tensors; the tensors themselves are not read.

    Raises CheckpointError, with one line that says what is wrong, for whatever is no checkpoint.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except IsADirectoryError:
        raise CheckpointError(f"{path} is a directory; give the file in it that holds the weights") from None
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from None
    except Broken as error:
        raise CheckpointError(f"{path} {error}") from None


def _read(path: Path, file: IO[bytes]) -> Header:
    start = file.read(9)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not start:
        raise Broken("is empty")
    if path.suffix == ".safetensors" or start[8:] == b"{":
        return Header(path, "safetensors", _safetensors(file, size))
    if start.startswith(b"PK\x03\x04"):
        return _pickled(path, "zip", read_zip(file))
    if start[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return _pickled(path, "pickle", read_pickles(file, size))
    raise Broken("is no checkpoint: neither safetensors nor what torch.save writes")


def unwrap(contents: Any, tensor: type) -> tuple[Any, str | None]:
    """The state dict in what a file holds, and under which of `WRAPPERS` it was; `tensor` is what counts as one."""
    if isinstance(contents, Mapping) and not any(isinstance(value, tensor) for value in contents.values()):
        for key in WRAPPERS:
            if isinstance(contents.get(key), Mapping):
                return contents[key], key
    return contents, None


def _pickled(path: Path, format: str, contents: Any) -> Header:
    found, wrapper = unwrap(contents, PickledTensor)
    if not isinstance(found, Mapping):
        raise Broken(f"holds {_kind(found)}, not a state dict of names and tensors")
    if not found:
        raise Broken("holds no tensors")
    for name, value in found.items():
        if not isinstance(name, str):
            raise Broken(f"is no state dict: one of its keys is {_kind(name)}, not a name")
        if not isinstance(value, PickledTensor):
            raise Broken(f"is no state dict: {name!r} is {_kind(value)}, not a tensor")
    return Header(path, format, {name: Entry(*tensor) for name, tensor in found.items()}, wrapper)


def _kind(value: Any) -> str:
    if isinstance(value, PickledTensor):
        return "a tensor"
    return "a dict" if isinstance(value, dict) else f"something of type {type(value).__name__}"


def _safetensors(file: IO[bytes], size: int) -> dict[str, Entry]:
    """The header, held to the format: every byte of the data belongs to one tensor."""
    length, after = int.from_bytes(file.read(8), "little"), size - 8
    if after < 0:
        raise Broken(f"is truncated: it has {size} bytes, and the length of a safetensors header alone takes 8")
    if length > LARGEST_HEADER:
        raise Broken(f"is no safetensors file: its header would be {length} bytes, more than {LARGEST_HEADER}")
    if length > after:
        raise Broken(f"is truncated: its header is {length} bytes, and {after} are there")
    try:
        header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Broken(f"is no safetensors file: its header is not JSON ({error})") from None
    if not isinstance(header, dict):
        raise Broken("is no safetensors file: its header is not a JSON object")
    header.pop("__metadata__", None)
    if not header:
        raise Broken("holds no tensors")
    entries = {name: _entry(name, entry, 8 + length) for name, entry in header.items()}
    end, before = 8 + length, "the header"
    for name, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        if entry.start != end:
            how = "overlaps" if entry.start < end else "leaves a gap after"
            raise Broken(f"has a damaged header: the data of {name!r} {how} {before}")
        end, before = entry.stop, f"that of {name!r}"
    if end != size:
        what = "is truncated" if end > size else "has a damaged header"
        raise Broken(f"{what}: its tensors take {end - 8 - length} bytes, and {after - length} follow the header")
    return entries


def _entry(name: str, entry: Any, data: int) -> Entry:
    """One tensor of a safetensors header, whose data starts at byte `data` of the file."""
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [start, stop]} if all(
            type(number) is int and number >= 0 for number in (*shape, start, stop)
        ):
            if dtype not in DTYPES:
                raise Broken(f"has a tensor that cannot be read: {name!r} is of dtype {dtype[:20]!r}")
            torch_dtype, item = DTYPES[dtype]
            if stop - start != item * prod(shape):
                raise Broken(
                    f"has a damaged header: {name!r}, {tuple(shape)} of {dtype}, takes {item * prod(shape)} bytes, "
                    f"and its data_offsets say {stop - start}"
                )
            return Entry(tuple(shape), torch_dtype, data + start, data + stop)
    raise Broken(f"has a damaged header: {name!r} lacks a sound dtype, shape or data_offsets")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError("a name is there twice")
    return names
