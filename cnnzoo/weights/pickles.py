"""What torch.save wrote, read without torch and without running any of it: names, shapes and dtypes.

A pickle is a program. What it can call comes through `find_class` alone, so the reader here hands out
harmless stand-ins for the few names that a state dict needs, and refuses every other.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import IO, Any, NamedTuple

from ..report import Shape

LARGEST_HEADER = 100_000_000
"""Bytes; the limit that the safetensors library has too."""

STORAGES = {
    "DoubleStorage": ("float64", 8),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
    "UntypedStorage": ("uint8", 1),
}
"""A dtype and the bytes of an element, by the name of torch's storage."""

MAGIC = 0x1950A86A20F9469CFC6C
"""The first thing in a file of torch before 1.6."""


class Broken(Exception):  # noqa: N818  (`headers` puts the file's name before it)
    """What is wrong with a file, to follow its name."""


class PickledTensor(NamedTuple):
    """What stands for a tensor while a pickle is read."""

    shape: Shape
    dtype: str


def read_zip(file: IO[bytes]) -> Any:
    """torch's zip: the pickle `data.pkl`, and each storage a record `data/KEY`, of which only the size is read."""
    try:
        with zipfile.ZipFile(file) as archive:
            records = {info.filename: info.file_size for info in archive.infolist()}
            name = next((name for name in records if name.rpartition("/")[2] == "data.pkl"), None)
            pickled = archive.read(name) if name is not None and records[name] <= LARGEST_HEADER else None
    except Exception as error:  # zipfile raises all kinds for a damaged file
        raise Broken(f"is truncated or damaged: {error}") from None
    if name is None or pickled is None:
        raise Broken(f"is a zip archive, but no checkpoint: it has no data.pkl of at most {LARGEST_HEADER} bytes")
    reader = _Reader(BytesIO(pickled))
    contents = reader.contents()
    folder = name.removesuffix("data.pkl")
    for key, size in reader.storages.items():
        there = records.get(f"{folder}data/{key}", 0)
        if there < size:
            raise Broken(f"is damaged: its record data/{key} should have {size} bytes and has {there}")
    return contents


def read_pickles(file: IO[bytes], size: int) -> Any:
    """torch's format before 1.6: magic number, version, sizes of types, the pickle, its storages' keys, their data."""
    if _Reader(file).contents() != MAGIC:
        raise Broken("is a pickle, but no checkpoint; what torch.save or safetensors writes would be one")
    for _ in ("version", "sizes of types"):
        _Reader(file).contents()
    reader = _Reader(file)
    contents = reader.contents()
    _Reader(file).contents()
    needed = sum(8 + stored for stored in reader.storages.values())
    if size - file.tell() < needed:
        raise Broken(f"is truncated: its tensors take {needed} bytes, and {size - file.tell()} are there")
    return contents


class _Storage(NamedTuple):
    dtype: str
    item: int


class _Dict(dict[Any, Any]):
    """An OrderedDict that ignores the attributes (`_metadata`) that a pickle sets on it."""

    def __setstate__(self, state: Any) -> None:
        pass


class _Reader(pickle._Unpickler):
    """Builds nothing but numbers, strings, containers and stand-ins.

    The stand-ins are immutable or made anew each time, so that a pickle cannot change them either. The
    unpickler is the one in Python, since that in C takes gigabytes where a damaged byte says so.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, int] = {}
        """Bytes of each storage, by key."""

    def contents(self) -> Any:
        try:
            return self.load()
        except (Broken, OSError):
            raise
        except Exception as error:  # whatever the opcodes of a damaged pickle come to
            raise Broken(f"is truncated or damaged: its pickle cannot be read ({error!r})") from None

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return _Dict
        if module in ("torch", "torch.cuda", "torch.storage") and name in STORAGES:
            return _Storage(*STORAGES[name])
        if module == "torch" and name.startswith(("float", "bfloat", "int", "uint", "bool")):
            return name
        if (module, name) in STAND_INS:
            return STAND_INS[module, name]()
        raise Broken(
            f"is not read: its pickle calls {f'{module}.{name}'!r}, which weights do not need and which could run "
            f"any code; save the state dict alone, or as safetensors, which holds nothing that runs"
        )

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", _Storage() as storage, str(key), str(), int(count), *_) if count >= 0:
                self.storages[key] = count * storage.item
                return storage
        raise pickle.UnpicklingError("not a storage")


def _tensor(dtype: Any, size: Any) -> PickledTensor:
    if not isinstance(dtype, str) or not all(type(length) is int and length >= 0 for length in size):
        raise pickle.UnpicklingError("not a tensor")
    return PickledTensor(tuple(size), dtype)


def _rebuild_tensor() -> Callable[..., PickledTensor]:
    return lambda storage, offset, size, *rest: _tensor(storage.dtype, size)


def _rebuild_typed() -> Callable[..., PickledTensor]:
    return lambda storage, offset, size, stride, grad, hooks, dtype, *rest: _tensor(dtype, size)


def _rebuild_parameter() -> Callable[..., PickledTensor]:
    return lambda tensor, *rest: _tensor(tensor.dtype, tensor.shape)


def _size() -> Callable[..., Shape]:
    return lambda lengths: tuple(lengths)


STAND_INS: dict[tuple[str, str], Callable[[], Any]] = {
    ("torch", "Size"): _size,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_typed,
    ("torch.nn.parameter", "Parameter"): _rebuild_parameter,
}
"""What a pickled state dict calls, and what makes the stand-in for it."""
