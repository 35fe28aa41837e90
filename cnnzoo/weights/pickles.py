"""A pickle read as data: an interpreter of its opcodes that imports nothing and calls nothing.

`pickletools.genops` splits the bytes into opcodes, and each has its effect on the stack and the memo. Strings, numbers,
tuples, lists and dicts are themselves; a call of what rebuilds a tensor is a `PickledTensor`; every other object is
`Foreign`, a name without contents. Steps and bytes are bounded, no key of a dict is hashed but strings, and no value is
walked, so that time and memory are linear in the pickle.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from math import prod
from pickletools import genops, opcodes
from typing import IO, Any, NamedTuple

from ..report import ITEM_BYTES, Shape
from ..words import MOST, REPEATED, quoted, shortened

LARGEST_HEADER = 64_000_000
"""Bytes of a pickle or of a safetensors header; a state dict of 10,000 tensors takes less than 2 MB."""

MOST_STEPS = 1_000_000
"""Opcodes of a pickle, or values of a safetensors header: those of about 35,000 tensors."""

MOST_DIMENSIONS = 64

ITEMS = ITEM_BYTES | {
    "float8_e4m3fnuz": 1,
    "float8_e5m2fnuz": 1,
    "float8_e8m0fnu": 1,
    "complex128": 16,
    "complex64": 8,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "uint64": 8,
    "uint32": 4,
    "uint16": 2,
    "uint8": 1,
    "bool": 1,
}
"""Bytes of an element, by torch's name of its dtype."""

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "UntypedStorage": "uint8",
}
"""The dtype of each of torch's storages."""

REBUILD = "torch._utils._rebuild_"
PARAMETERS = (f"{REBUILD}parameter", f"{REBUILD}parameter_with_state", "torch.nn.parameter.Parameter")

RUNS = re.compile(
    r"(?:asyncio|bdb|cProfile|code|codeop|commands|_?ctypes|importlib|marshal|multiprocessing|nt|os|pdb|_?pickle|pip|"
    r"posix|profile|pty|runpy|shutil|signal|socket|subprocess|sys|timeit|webbrowser)\b"
)
"""Packages whose functions no state dict needs and a payload does; a file that names one is refused as hostile."""


class Broken(Exception):  # noqa: N818  (`headers` puts the file's name before it)
    """What is wrong with a file, to follow its name."""


class Storage(NamedTuple):
    """A run of elements in a file's storage `key`."""

    key: str
    dtype: str
    length: int
    offset: int = 0


class PickledTensor(NamedTuple):
    """What stands for a tensor: a view on a storage; offset and stride are in elements of its dtype."""

    shape: Shape
    dtype: str
    storage: Storage
    offset: int
    stride: tuple[int, ...]


class Foreign(NamedTuple):
    """What stands for an object of any other class, or for the class or function itself, by its full name."""

    name: str


class Bounded:
    """A file's bytes up to `left` from where it stands, as `genops` reads them; asking for more is an error."""

    def __init__(self, file: IO[bytes], left: int) -> None:
        self.file = file
        self.left = left

    def read(self, size: int) -> bytes:
        if size > self.left:
            raise Broken(f"is damaged, or no state dict: its pickle asks for {size} bytes where {self.left} may follow")
        self.left -= size
        return self.file.read(size)

    def readline(self) -> bytes:
        line = self.file.readline(self.left)
        self.left -= len(line)
        return line


def printable(text: str, most: int = REPEATED) -> str:
    """A name or a message from a file, on one line and without its middle where it is long."""
    return shortened(text if text.isprintable() else repr(text[: 2 * most])[1:-1], most)


class Pickle:
    """One pickle: its `contents`, and the elements of each storage that its tensors view."""

    def __init__(self, file: IO[bytes], size: int = LARGEST_HEADER) -> None:
        self.storages: dict[str, Storage] = {}
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []
        """The stacks below each mark."""
        self._memo: dict[int, Any] = {}
        try:
            self.contents = self._run(Bounded(file, min(size, LARGEST_HEADER)))
        except (Broken, OSError):
            raise
        except Exception as error:  # whatever the opcodes of a damaged pickle come to
            what = printable(f"{type(error).__name__}: {error}", 160)
            raise Broken(f"is truncated or damaged: its pickle cannot be read ({what})") from None

    def _run(self, data: Bounded) -> Any:
        for step, (opcode, argument, _) in enumerate(genops(data)):  # type: ignore[arg-type]
            if step >= MOST_STEPS:
                raise Broken(
                    f"is no state dict: its pickle has more than {MOST_STEPS} steps; save the state dict alone"
                )
            if opcode.name in PUSHED:
                self._stack.append(argument)
            elif opcode.name in CONSTANTS:
                self._stack.append(CONSTANTS[opcode.name])
            elif opcode.name != "STOP":
                self._step(opcode.name, argument)
        return self._stack[-1]

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        match name:
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self._memo[argument])
            case "MARK":
                self._outer.append(stack)
                self._stack = []
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(name[-1])
                if len(stack) < count:
                    raise IndexError("the stack is too short")
                stack[-count:] = [tuple(stack[-count:])]
            case "TUPLE" | "LIST" | "DICT" | "FROZENSET":
                items = self._marked()
                pairs = _pairs(items) if name == "DICT" else {}
                made = {"TUPLE": tuple(items), "LIST": items, "DICT": pairs, "FROZENSET": Foreign("frozenset")}
                self._stack.append(made[name])
            case "APPEND" | "APPENDS" | "ADDITEMS":
                items = [stack.pop()] if name == "APPEND" else self._marked()
                if isinstance(self._stack[-1], list):
                    self._stack[-1].extend(items)
            case "SETITEM" | "SETITEMS":
                items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else self._marked()
                if isinstance(self._stack[-1], dict):
                    self._stack[-1].update(_pairs(items))
            case "GLOBAL":
                stack.append(named(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                last = stack.pop()
                stack.append(named(stack.pop(), last))
            case "REDUCE" | "NEWOBJ" | "NEWOBJ_EX":
                if name == "NEWOBJ_EX":
                    stack.pop()
                arguments = stack.pop()
                stack.append(self._call(stack.pop(), arguments))
            case "OBJ" | "INST":
                items = self._marked()
                kind = named(*argument.split(" ", 1)) if name == "INST" else items.pop(0)
                self._stack.append(self._call(kind, tuple(items)))
            case "BUILD":
                stack.pop()  # attributes: `_metadata` of a state dict, the fields of a foreign object
            case "PERSID" | "BINPERSID":
                stack.append(self._stored(stack.pop() if name == "BINPERSID" else argument))
            case "DUP":
                stack.append(stack[-1])
            case "POP":
                stack.pop() if stack else self._marked()
            case "POP_MARK":
                self._marked()
            case "PROTO" | "FRAME":
                pass
            case _:
                raise ValueError(f"opcode {name}")

    def _marked(self) -> list[Any]:
        """What is above the last mark; the stack is then what was below it."""
        items, self._stack = self._stack, self._outer.pop()
        return items

    def _call(self, function: Any, arguments: Any) -> Any:
        """What stands for the value of a call, which is not made."""
        if not isinstance(function, Foreign):
            raise TypeError("a call of what is no function")
        match function.name, arguments:
            case ("collections.OrderedDict", ()) | ("collections.defaultdict", _):
                return {}
            case "collections.OrderedDict", (list(pairs),):  # as Python 2 pickled it
                if sum(len(pair) for pair in pairs) != 2 * len(pairs):
                    raise ValueError("a dict of other than pairs")
                items = [value for pair in pairs for value in pair]
                pairs.clear()  # read once, or the same list could be read as often as the pickle is long
                return _pairs(items)
            case "torch.Size", (tuple(lengths),):
                return lengths
            case "torch._tensor._rebuild_from_type_v2", (Foreign() as inner, _, tuple(values), *_):
                return function if inner == function else self._call(inner, values)
            case name, (PickledTensor() as tensor, *_) if name in PARAMETERS:
                return tensor
            case name, (Storage() as storage, offset, size, stride, *rest) if name.startswith(f"{REBUILD}tensor"):
                third = name.endswith("_v3")
                dtype = rest[2] if third else Foreign(f"torch.{storage.dtype}")
                metadata = rest[3:4] if third else rest[2:3]
                if any(metadata) or not isinstance(dtype, Foreign) or dtype.name[6:] not in ITEMS:
                    return function  # a conjugated or negated view, or of a dtype without a size
                return _tensor(storage, dtype.name[6:], offset, size, stride)
        return function

    def _stored(self, identity: Any) -> Any:
        """A storage, as torch's persistent identities name it."""
        match identity:
            case ("storage", Foreign(kind), str(key), str(), int(count), *view) if 0 <= count <= MOST:
                dtype = STORAGES.get(kind.rpartition(".")[2]) if kind.startswith("torch.") else None
                if dtype is None:
                    return Foreign(kind)
                storage = Storage(key, dtype, count)
                if self.storages.setdefault(key, storage) != storage:
                    raise ValueError(f"two storages {quoted(key)}")
                match view:
                    case [(_, int(offset), int(length))] if min(offset, length) >= 0 and offset + length <= count:
                        return Storage(key, dtype, length, offset)
                    case [] | [None]:
                        return storage
            case ("module", Foreign() as kind, *_):  # with its source, before 1.6
                return kind
        raise ValueError("a persistent identity that names no storage")


PUSHED = {opcode.name for opcode in opcodes if opcode.arg and opcode.stack_after and not opcode.stack_before} - {
    *("GET", "BINGET", "LONG_BINGET", "EXT1", "EXT2", "EXT4", "GLOBAL", "PERSID", "INST")
}
"""Opcodes that push their argument."""

CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "EMPTY_SET": Foreign("set")}
"""Opcodes that push a value of their own."""


def named(module: Any, name: Any) -> Foreign:
    """A class or function that a pickle names; `Broken` for one that is there to run code."""
    if not (isinstance(module, str) and isinstance(name, str)):
        raise TypeError("a class without a name")
    full = f"{module}.{name}"
    builtin = getattr(builtins, name, None) if module in ("builtins", "__builtin__") else int
    function = not isinstance(builtin, type) and name not in ("getattr", "unicode", "long", "xrange", "basestring")
    if function or RUNS.match(module):
        raise Broken(
            f"is not read: its pickle calls {quoted(full)}, which weights do not need and which could run any code; "
            f"save the state dict alone, or as safetensors, which holds nothing that runs"
        )
    return Foreign(full)


def _pairs(items: list[Any]) -> dict[Any, Any]:
    """Keys and values in turn; a key that is no string is a `Foreign`, since the hash of a tuple may take for ever."""
    keys = (key if isinstance(key, str) else Foreign(type(key).__name__) for key in items[::2])
    return dict(zip(keys, items[1::2], strict=True))


def _tensor(storage: Storage, dtype: str, offset: Any, size: Any, stride: Any) -> PickledTensor:
    """A view, all of whose elements are in its storage."""
    if not (isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride) <= MOST_DIMENSIONS):
        raise Broken("is damaged: a tensor's size and stride are no tuples of one length")
    if not all(type(number) is int and 0 <= number <= MOST for number in (offset, *size, *stride)):
        raise Broken("is damaged: a tensor's offset, size or stride is no count")
    if prod(size) > MOST:
        raise Broken("is damaged: a tensor has more than 2^63 elements")
    item = ITEMS[dtype]
    last = sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    end = (offset + last + 1) * item if all(size) else 0
    there = storage.length * ITEMS[storage.dtype]
    if end > there:
        raise Broken(f"is damaged: a tensor ends at byte {end} of a storage of {there}")
    return PickledTensor(size, dtype, storage, offset, stride)


def kind(value: Any) -> str:
    """What something in a pickle is, in words."""
    if isinstance(value, Foreign):
        return printable(value.name)
    if isinstance(value, PickledTensor):
        return "a tensor"
    return "a dict" if isinstance(value, Mapping) else f"something of type {type(value).__name__}"
