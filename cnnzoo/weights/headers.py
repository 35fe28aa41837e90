"""What a file of weights says of its tensors: their names, shapes, dtypes and places, from its header alone.

Three formats, told apart by content: safetensors; torch's zip; torch's bare pickles from before 1.6, in which most of
torchvision's files were published. Nothing in a file is executed, and no torch is needed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

from ..errors import CnnzooError
from ..report import Shape
from ..words import LONGEST, MOST, hint, listed, quoted
from .archives import read_pickles, read_zip
from .pickles import ITEMS, LARGEST_HEADER, MOST_DIMENSIONS, MOST_STEPS, Broken, Foreign, PickledTensor, kind, printable
from .reading import prefixes

DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "C64": "complex64",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
"""torch's name of a dtype, by safetensors'."""

MOST_TENSORS = 30_000

DEEPEST = 4
"""How far down in dicts of dicts tensors are looked for."""

Rename: TypeAlias = Mapping[str, str] | Callable[[str], str | None]
"""Beginnings of names and what stands there instead, or a function from a name to another, or to None: left out."""


class CheckpointError(CnnzooError, ValueError):
    """A file that is no checkpoint, or does not fit; the message says what is wrong and what would help."""


class Entry(NamedTuple):
    """A tensor in a file."""

    shape: Shape
    dtype: str
    """torch's name of it."""
    start: int
    """The byte of the file where its first element begins."""
    stop: int
    """The byte behind its last element."""
    stride: tuple[int, ...]
    """In elements, as torch's."""


@dataclass(frozen=True)
class Header:
    """What a file holds: dicts of tensors by name."""

    path: Path
    dicts: Mapping[str, Mapping[str, Entry]]
    """The dicts that hold tensors, by the keys that lead to them ("state_dict", "checkpoint.model"); "" is the file's
    own. Each has its tensors by name, in the file's order."""
    others: Mapping[str, Mapping[str, str]]
    """What else those dicts hold beside tensors and dicts: by name, what it is in words."""

    def shapes(self) -> dict[str, dict[str, Shape]]:
        return {key: {name: one.shape for name, one in entries.items()} for key, entries in self.dicts.items()}

    def unread(self, key: str) -> list[str]:
        """What stands beside the tensors under `key`, as a note in words, if anything."""
        others = [f"{printable(name)} ({what})" for name, what in self.others.get(key, {}).items()]
        return [f"not read, as no tensors: {listed(others)}"] if others else []

    def under(self, key: str) -> Header:
        """This header with nothing but the dict under `key`, or the tensors whose names begin with it.

        CheckpointError where there are none.
        """
        if key in self.dicts:
            return Header(self.path, {key: self.dicts[key]}, self.others)
        begin = f"{key.rstrip('.')}."
        dicts = {
            inner: {name: entry for name, entry in entries.items() if name.startswith(begin)}
            for inner, entries in self.dicts.items()
        }
        dicts = {inner: entries for inner, entries in dicts.items() if entries}
        if not dicts:
            keys = listed(quoted(other) for other in self.dicts)
            raise CheckpointError(f"{self.path} has no tensors under {quoted(key)}; it has them under {keys}")
        return Header(self.path, dicts, {})

    def renamed(self, rename: Rename) -> Header:
        """This header with its tensors under other names.

        Of a mapping, the longest beginning counts. CheckpointError where two tensors get one name, and for a
        beginning that no name has.
        """
        new = rename if callable(rename) else _beginnings(rename)
        dicts: dict[str, dict[str, Entry]] = {}
        for key, entries in self.dicts.items():
            dicts[key] = {}
            for name, entry in entries.items():
                other = new(name)
                if other is not None and dicts[key].setdefault(other, entry) is not entry:
                    raise CheckpointError(f"rename= gives two tensors of {self.path} the name {quoted(other)}")
        if not callable(rename):
            names = [name for entries in self.dicts.values() for name in entries]
            for begin in rename:
                if not any(name.startswith(begin) for name in names):
                    known = dict.fromkeys(one for name in names[:1000] for one in prefixes(name))
                    what = hint(begin, known, f"the first is {quoted(names[0])}", most=1, show=quoted)
                    raise CheckpointError(f"rename=: no name in {self.path} starts with {quoted(begin)}; {what}")
        return Header(self.path, dicts, self.others)


def _beginnings(rename: Mapping[str, str]) -> Callable[[str], str]:
    longest = sorted(rename, key=len, reverse=True)

    def new(name: str) -> str:
        begin = next((one for one in longest if name.startswith(one)), None)
        return name if begin is None else rename[begin] + name[len(begin) :]

    return new


def read_header(path: str | os.PathLike[str], *, key: str | None = None, rename: Rename | None = None) -> Header:
    """The names, shapes and dtypes of a checkpoint's tensors; the tensors themselves are not read.

    `key` is the one dict, or the beginning of names, that counts where a file holds several; `rename` gives its tensors
    other names. Raises
    CheckpointError, with one line that says what is wrong, for whatever is no checkpoint. Time and memory are bounded
    whatever the file holds: a header has at most 64 MB, a million values and
    30,000 tensors.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            what = "a directory; give the file in it that holds the weights" if path.is_dir() else "no regular file"
            raise CheckpointError(f"{path} is {what}")
        with path.open("rb") as file:
            header = _read(path, file)
        names = [name for entries in header.dicts.values() for name in entries]
        if len(names) > MOST_TENSORS:
            raise Broken(f"holds more than {MOST_TENSORS} tensors; save the state dict alone")
        if longest := next((name for name in names if len(name) > LONGEST), None):
            raise Broken(f"is no state dict: one of its names, {quoted(longest)}, has {len(longest)} characters")
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist") from None
    except OSError as error:
        raise CheckpointError(f"{printable(str(path), 300)} cannot be read: {error.strerror or error}") from None
    except Broken as error:
        raise CheckpointError(f"{path} {error}") from None
    except ValueError as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{printable(str(path), 300)} cannot be read: {error}") from None  # a NUL in its name
    header = header if key is None else header.under(key)
    return header if rename is None else header.renamed(rename)


def _read(path: Path, file: IO[bytes]) -> Header:
    start = file.read(9)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not start:
        raise Broken("is empty")
    if path.suffix == ".safetensors" or start[8:] == b"{":
        return Header(path, {"": _safetensors(file, size)}, {})
    if start.startswith(b"PK\x03\x04"):
        return _state_dicts(path, *read_zip(file, size))
    if start[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return _state_dicts(path, *read_pickles(file, size))
    raise Broken("is no checkpoint: neither safetensors nor what torch.save writes")


def _state_dicts(path: Path, contents: Any, starts: Mapping[str, int]) -> Header:
    """The dicts that have tensors, down to a depth of `DEEPEST`; each is visited once, however often it is named."""
    if not isinstance(contents, Mapping):
        hint = "; save its state_dict()" if isinstance(contents, Foreign) else ""
        raise Broken(f"holds {kind(contents)}, not a state dict of names and tensors{hint}")
    dicts: dict[str, dict[str, Entry]] = {}
    others: dict[str, dict[str, str]] = {}
    level, seen = [("", contents)], {id(contents)}
    for _ in range(DEEPEST):
        below = []
        for key, found in level:
            for name, value in found.items():
                if not isinstance(name, str):
                    continue
                inner = f"{key}.{name}" if key else name
                if isinstance(value, PickledTensor):
                    dicts.setdefault(key, {})[name] = _placed(value, starts)
                elif not isinstance(value, Mapping):
                    others.setdefault(key, {})[name] = kind(value)
                elif id(value) not in seen:
                    seen.add(id(value))
                    below.append((inner, value))
        level = below
    if not dicts:
        raise Broken(f"holds no tensors{_instead(contents, others)}")
    return Header(path, dicts, {key: others.get(key, {}) for key in dicts})


def _instead(contents: Mapping[Any, Any], others: Mapping[str, Mapping[str, str]]) -> str:
    """What a file without tensors under names has."""
    for name, value in contents.items():
        if not isinstance(name, str) and isinstance(value, PickledTensor):
            return f" under names: one of its keys is {kind(name)}"
    for found in others.values():
        modules = [name for name, value in found.items() if "." in value]
        for name in [*modules, *found][:1]:
            return f": {quoted(name)} is {found[name]}{'; save its state_dict()' if modules else ''}"
    return ""


def _placed(tensor: PickledTensor, starts: Mapping[str, int]) -> Entry:
    shape, dtype, storage, offset, stride = tensor
    item = ITEMS[dtype]
    start = starts[storage.key] + storage.offset * ITEMS[storage.dtype] + offset * item
    last = sum((length - 1) * step for length, step in zip(shape, stride, strict=True))
    return (
        Entry(shape, dtype, start, start + (last + 1) * item, stride)
        if all(shape)
        else Entry(shape, dtype, 0, 0, stride)
    )


def _safetensors(file: IO[bytes], size: int) -> dict[str, Entry]:
    """The header, held to the format: every byte of the data belongs to one tensor."""
    length, after = int.from_bytes(file.read(8), "little"), size - 8
    if after < 0:
        raise Broken(f"is truncated: it has {size} bytes, and the length of a safetensors header alone takes 8")
    if length > LARGEST_HEADER:
        raise Broken(f"is no safetensors file: its header would be {length} bytes, more than {LARGEST_HEADER}")
    if length > after:
        raise Broken(f"is truncated: its header is {length} bytes, and {after} are there")
    text = file.read(length)
    if text.count(b",") + text.count(b"[") + text.count(b"{") > MOST_STEPS:
        raise Broken(f"is no safetensors file: its header has more than {MOST_STEPS} values")
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Broken(f"is no safetensors file: its header is not JSON ({printable(str(error), 160)})") from None
    if not isinstance(header, dict):
        raise Broken("is no safetensors file: its header is not a JSON object")
    header.pop("__metadata__", None)
    if not header:
        raise Broken("holds no tensors")
    entries = {name: _entry(name, entry, 8 + length) for name, entry in header.items()}
    end, before = 8 + length, "the header"
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.start != end:
            how = "overlaps" if entry.start < end else "leaves a gap after"
            raise Broken(f"has a damaged header: the data of {quoted(name)} {how} {before}")
        end, before = entry.stop, f"that of {quoted(name)}"
    if end != size:
        what = "is truncated" if end > size else "has a damaged header"
        raise Broken(f"{what}: its tensors take {end - 8 - length} bytes, and {after - length} follow the header")
    return entries


def _entry(name: str, entry: Any, data: int) -> Entry:
    """One tensor of a safetensors header, whose data starts at byte `data` of the file."""
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [start, stop]} if (
            len(shape) <= MOST_DIMENSIONS
            and all(type(number) is int and 0 <= number <= MOST for number in (*shape, start, stop))
            and prod(shape) <= MOST
        ):
            if dtype not in DTYPES:
                raise Broken(f"has a tensor that cannot be read: {quoted(name)} is of dtype {dtype[:20]!r}")
            needed = ITEMS[DTYPES[dtype]] * prod(shape)
            if stop - start != needed:
                raise Broken(
                    f"has a damaged header: {quoted(name)}, {printable(str(tuple(shape)))} of {dtype}, takes {needed} "
                    f"bytes, and its data_offsets say {stop - start}"
                )
            stride = tuple(prod(shape[place + 1 :]) for place in range(len(shape)))
            return Entry(tuple(shape), DTYPES[dtype], data + start, data + stop, stride)
    raise Broken(f"has a damaged header: {quoted(name)} lacks a sound dtype, shape or data_offsets")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError("a name is there twice")
    return names
