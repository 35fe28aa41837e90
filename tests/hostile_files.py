"""Files of weights made to hang, crash, fill memory or run code: by hand, and by changing valid ones at random.

`hostile_files` yields them as (name, bytes, suffix), the same for the same seed. A payload that ran would make a folder
`PAYLOAD` where the process runs. `hostile_paths` makes what is no file at all.
"""

from __future__ import annotations

import io
import json
import os
import random
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

PAYLOAD = "payload-ran"

MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
SYSTEM = b"\x80\x02}(X\x10\x00\x00\x00protocol_versionM\xe9\x03X\x0d\x00\x00\x00little_endian\x88u."


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    return b"I%d\n" % value


def group(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def storage(key: str = "0", count: bytes = b"K\x04", kind: bytes = b"FloatStorage") -> bytes:
    return group(text("storage"), b"ctorch\n" + kind + b"\n", text(key), text("cpu"), count) + b"Q"


def tensor(size: bytes, stride: bytes, offset: bytes = b"K\x00", stored: bytes = storage()) -> bytes:
    hooks = b"ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + group(stored, offset, size, stride, b"\x89", hooks) + b"R"


WEIGHT = tensor(group(b"K\x02", b"K\x02"), group(b"K\x02", b"K\x01"))


def state(*pairs: bytes) -> bytes:
    """A pickle of a dict of these keys and values in turn."""
    return b"\x80\x02}(" + b"".join(pairs) + b"u."


def of_one(pairs: Iterable[bytes]) -> bytes:
    """A pickle of a dict of these keys and values, of which all can be one tensor, its memo's 1."""
    return b"\x80\x02}" + WEIGHT + b"q\x010(" + b"".join(pairs) + b"u."


def beside(value: bytes) -> bytes:
    return state(text("weight"), WEIGHT, text("it"), value)


def zipped(pickle: bytes, records: dict[str, bytes] | None = None, **settings: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **settings) as archive:  # type: ignore[arg-type]
        archive.writestr("archive/data.pkl", pickle)
        for name, data in ({"archive/data/0": bytes(16)} if records is None else records).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def before_1_6(pickle: bytes, keys: bytes = b"\x80\x02]X\x01\x00\x00\x000a.", data: bytes | None = None) -> bytes:
    version = b"\x80\x02M\xe9\x03."
    return MAGIC + version + SYSTEM + pickle + keys + (struct.pack("<Q", 4) + bytes(16) if data is None else data)


def safetensors(header: bytes | dict[str, object], data: bytes = bytes(16), length: int | None = None) -> bytes:
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(written) if length is None else length) + written + data


def entry(**changes: object) -> dict[str, object]:
    return {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16], **changes}


def doubled(times: int, inner: bytes = b")") -> bytes:
    """A tuple of two of the one before, so often: 2^times paths in a few bytes."""
    return inner + b"".join(b"q\x01h\x01\x86" for _ in range(times))


def calls() -> Iterator[tuple[str, bytes]]:
    """Payloads: each way of a pickle to call something, and what attackers call."""
    argument = text(PAYLOAD)
    python = text(f"__import__('os').mkdir({PAYLOAD!r})")
    yield "reduce", b"cos\nmkdir\n" + argument + b"\x85R"
    yield "stack global", text("posix") + text("mkdir") + b"\x93" + argument + b"\x85R"
    yield "instance", b"(" + argument + b"ios\nmkdir\n"
    yield "object", b"(cos\nmkdir\n" + argument + b"o"
    yield "new object", b"cos\nmkdir\n" + argument + b"\x85\x81"
    yield "new object with keywords", b"cos\nmkdir\n" + argument + b"\x85}\x92"
    yield "eval", b"cbuiltins\neval\n" + python + b"\x85R"
    yield "exec of Python 2", b"c__builtin__\nexec\n" + python + b"\x85R"
    yield "dotted", text("builtins") + text("eval.__call__") + b"\x93" + python + b"\x85R"
    yield "subprocess", b"csubprocess\nPopen\n(" + text("mkdir") + argument + b"l\x85R"
    yield "runpy", b"crunpy\n_run_code\n" + python + b"}\x86R"
    yield "getattr", b"cbuiltins\ngetattr\ncos\nmkdir\n" + text("__call__") + b"\x86R" + argument + b"\x85R"
    yield "numpy", b"cnumpy.testing._private.utils\nrunstring\n" + python + b"}\x86R"
    yield "torch", b"ctorch.hub\nload\n" + argument + argument + b"\x86R"
    yield "own module", b"ccnnzoo.cli\nmain\n" + argument + b"\x85R"
    yield "partial", b"cfunctools\npartial\ncos\nmkdir\n" + argument + b"\x86R)R"
    yield "state", b"ctorch\nSize\n)R}" + text("__setstate__") + b"cos\nmkdir\nsb"
    yield "setstate", b"ccollections\nOrderedDict\n}" + text("__setstate__") + b"cos\nmkdir\ns}" + argument + b"Ksb"
    yield "extension", b"\x82\x01" + argument + b"\x85R"
    yield (
        "type",
        b"ctorch._tensor\n_rebuild_from_type_v2\n" + group(b"cos\nmkdir\n", b"N", argument + b"\x85", b"N") + b"R",
    )


def values(big: bool) -> Iterator[tuple[str, bytes]]:
    """Values of a pickle that are small to write and large, deep or slow to have."""
    many = 8_000_000 if big else 1_100_000
    deep = 200_000
    yield "tuples, doubled", doubled(60)
    yield "tuples, doubled, as a key", b"}" + doubled(60) + b"K\x01s"
    yield "tuples, doubled, in a set", b"\x8f(" + doubled(60) + b"\x90"
    yield "tuples, doubled, in a frozen set", b"(" + doubled(60) + b"\x91"
    yield "tuples, doubled, as a size", b"ctorch\nSize\n" + doubled(60) + b"R"
    yield "tuples, doubled, to an ordered dict", b"ccollections\nOrderedDict\n" + doubled(40) + b"R"
    yield "tuples, nested", b")" + b"\x85" * deep
    yield "tuples, nested, as a key", b"}" + b")" + b"\x85" * deep + b"K\x01s"
    yield "lists, nested", b"]" * deep + b"a" * (deep - 1)
    yield "dicts, nested", b"".join(b"}X\x01\x00\x00\x00a" for _ in range(deep)) + b"}" + b"s" * deep
    yield (
        "dicts, doubled",
        b"}q\x01" + b"".join(b"}(X\x01\x00\x00\x00ah\x01X\x01\x00\x00\x00bh\x01uq\x01" for _ in range(60)),
    )
    yield "marks", b"(" * deep + b"t" * deep
    yield "marks without end", b"(" * many
    yield "lists", b"](" + b"]" * many + b"e"
    yield "dicts", b"](" + b"}" * many + b"e"
    yield "memo", b"N" + b"\x94" * many
    yield "duplicates", b"N" + b"2" * many
    yield "a list in itself", b"]q\x01h\x01a"
    yield "a dict in itself", b"}q\x01X\x01\x00\x00\x00ah\x01s"
    yield "a tuple in its list", b"]q\x01h\x01\x85a"
    yield "bytes of 8 GB", b"\x8e" + struct.pack("<Q", 8 << 30)
    yield "bytearray of 8 GB", b"\x96" + struct.pack("<Q", 8 << 30)
    yield "text of 8 GB", b"\x8d" + struct.pack("<Q", 8 << 30)
    yield "bytes of 2^64", b"\x8e" + b"\xff" * 8
    yield "bytes of 2 GB", b"B" + struct.pack("<I", 2**31 - 1)
    yield "a number of 2 GB", b"\x8b" + struct.pack("<I", 2**31 - 1)
    yield "a number of negative length", b"\x8b" + struct.pack("<i", -1)
    yield "a large number", b"\x8b" + struct.pack("<I", 1 << 20) + b"\x7f" * (1 << 20)
    yield "digits", b"I" + b"9" * (1 << 20) + b"\n"
    yield "digits of a long", b"L" + b"9" * 4_000 + b"L\n"
    yield "a line without end", b"S'" + b"a" * (1 << 20)
    yield "place in the memo", b"Nr\xff\xff\xff\x7f"
    yield "place in the memo, in digits", b"Np" + b"9" * 4000 + b"\n"
    yield "place in the memo, unknown", b"j\xff\xff\xff\x7f"
    yield "a frame of 2^63", b"\x95" + b"\xff" * 8 + b"N"
    yield (
        "keys that collide",
        b"}(" + b"".join(b"\x8a\x10" + (k * (2**61 - 1)).to_bytes(16, "little") + b"N" for k in range(50_000)) + b"u",
    )
    pairs = b"](" + b"(K\x01K\x02l" * 20_000 + b"eq\x01"
    yield "pairs, again and again", pairs + b"0" + b"ccollections\nOrderedDict\nh\x01\x85R0" * 20_000 + b"N"
    yield "an odd dict", b"(K\x01d"
    yield "an empty stack", b"00000N"
    yield "nothing to call", b"K\x01)R"
    yield "arguments that are none", b"ccollections\nOrderedDict\nK\x01R"
    yield "an unknown opcode", b"\xff"
    yield "a persistent identity in text", b"Pstorage\n"
    yield "a persistent identity that is none", b"NQ"
    yield "text that is no UTF-8", b"X\x02\x00\x00\x00\xff\xff"
    yield "a surrogate", text("\ud800")


def tensors() -> Iterator[tuple[str, bytes]]:
    """Tensors that are none, or whose sizes are lies."""
    plain = group(b"K\x02", b"K\x02"), group(b"K\x02", b"K\x01")
    huge = b"\x8a\x08" + struct.pack("<q", 2**62)
    digits = b"\x8b" + struct.pack("<I", 1700) + b"\x7f" * 1700
    yield "of a huge shape and stride 0", tensor(group(huge), group(b"K\x00"))
    yield "of a huge shape", tensor(group(huge, huge, huge), group(b"K\x00", b"K\x00", b"K\x00"))
    yield "larger than its storage", tensor(group(b"K\x05"), group(b"K\x01"))
    yield "of a negative stride", tensor(plain[0], group(b"K\x02", b"J\xff\xff\xff\xff"))
    yield "of a negative offset", tensor(*plain, offset=b"J\xff\xff\xff\xff")
    yield "of a huge offset", tensor(*plain, offset=huge)
    yield "of a negative size", tensor(group(b"J\xfe\xff\xff\xff", b"J\xfe\xff\xff\xff"), plain[1])
    yield "of 4,000 digits", tensor(group(digits), group(b"K\x00"))
    yield "of a stride of 4,000 digits", tensor(group(b"K\x01"), group(digits))
    yield "of 10,000 dimensions", tensor(group(b"K\x01" * 10_000), group(b"K\x01" * 10_000))
    yield "of sizes without strides", tensor(group(b"K\x01"), b")")
    yield "of a size in text", tensor(text("ab"), text("ab"))
    yield "of a size that is true", tensor(group(b"\x88"), group(b"K\x01"))
    yield "of a size of floats", tensor(group(b"G" + struct.pack(">d", 2.0)), group(b"K\x01"))
    yield "of no element", tensor(group(b"K\x00", huge), group(huge, huge))
    yield "without a storage", tensor(*plain, stored=b"N")
    yield "of a storage of negative length", tensor(*plain, stored=storage(count=b"J\xff\xff\xff\xff"))
    yield "of a huge storage", tensor(*plain, stored=storage(count=huge))
    yield "of a storage of 4,000 digits", tensor(*plain, stored=storage(count=digits))
    yield "of a storage that is not there", tensor(*plain, stored=storage("1"))
    yield "of a storage outside", tensor(*plain, stored=storage("../../../etc/passwd"))
    yield "of a storage of no kind", tensor(*plain, stored=storage(kind=b"EvilStorage"))
    yield "of a storage of 64 quanta", tensor(*plain, stored=storage(kind=b"QUInt4x2Storage"))
    yield "of too few arguments", b"ctorch._utils\n_rebuild_tensor_v3\n" + group(storage(), *plain, b"K\x00") + b"R"
    outer = b"ctorch._tensor\n_rebuild_from_type_v2\n"
    yield "in itself", b"(" * 5_000 + outer + b")R" + b"t" * 5_000
    parameter = b"ctorch._utils\n_rebuild_parameter\n"
    yield "a parameter of parameters", parameter * 3_000 + WEIGHT + b"\x85R" * 3_000


def names() -> Iterator[tuple[str, bytes]]:
    """State dicts of names that no network has."""
    for name, key in {
        "empty": "",
        "of lines": "a\nb\r\nc\x1b[31m\x00",
        "of a megabyte": "a" * (1 << 20),
        "of dots": "." * 1000,
        "of modules": "module." * 100_000 + "conv1.weight",
        "of few modules": "module." * 140 + "conv1.weight",
        "of a surrogate": "\ud800",
        "from right to left": "\u202eweight",
        "of old layers": "denselayer1.norm.1." * 50,
    }.items():
        yield name, state(text(key), WEIGHT)
    yield "that are numbers", state(b"K\x01", WEIGHT, b"N", WEIGHT, b"\x88", WEIGHT)
    yield "that are tuples", state(doubled(50), WEIGHT)
    yield "of 60,000 tensors", of_one(text(f"{n}.conv1.weight") + b"h\x01" for n in range(60_000))
    yield (
        "of 29,000 tensors in 32 networks",
        of_one(text(f"a{n}.layer1.0.conv1.weight") + b"h\x01" for n in range(29_000)),
    )
    yield "of 29,000 dicts", of_one(text(f"k{n}") + b"}" + text("fc.weight") + b"h\x01s" for n in range(29_000))


def archives(big: bool) -> Iterator[tuple[str, bytes]]:
    """Zips that are not as torch.save writes them."""
    good = state(text("weight"), WEIGHT)
    plain = zipped(good)
    directory = plain.index(b"PK\x01\x02")
    end = plain.index(b"PK\x05\x06")
    yield "compressed", zipped(good, compression=zipfile.ZIP_DEFLATED)
    yield "of bzip2", zipped(b"\x80\x02" + b"]" * 10_000_000, compression=zipfile.ZIP_BZIP2)
    yield "that unpacks to 1000 times its size", _bomb((1 << 31) - (1 << 20) if big else 1 << 26)
    yield "without data.pkl", zipped(good).replace(b"data.pkl", b"data.txt")
    yield "with two of data.pkl", zipped(good, {"archive/data.pkl": good, "archive/data/0": bytes(16)})
    yield "of two folders", zipped(good, {"b/data.pkl": good, "archive/data/0": bytes(16)})
    yield "that climbs", zipped(good, {"../../data.pkl": b"", "archive/data/0": bytes(16)})
    yield (
        "of 100,000 records",
        zipped(good, {"archive/data/0": bytes(16), **{f"archive/data/{n}": b"" for n in range(1, 100_000)}}),
    )
    yield "of a short storage", zipped(good, {"archive/data/0": bytes(15)})
    yield "of another byte order", zipped(good, {"archive/byteorder": b"big", "archive/data/0": bytes(16)})
    yield "of TorchScript", zipped(good, {"archive/constants.pkl": b"\x80\x02).", "archive/data/0": bytes(16)})
    yield "behind something", bytes(1000) + plain
    yield "before something", plain + bytes(100_000)
    for name, at, form, value in (
        ("directory of 4 GB", end + 12, "<I", 2**32 - 1),
        ("directory elsewhere", end + 16, "<I", 2**32 - 2),
        ("too many records", end + 10, "<H", 2**16 - 1),
        ("record of 4 GB", directory + 24, "<I", 2**32 - 1),
        ("record elsewhere", directory + 42, "<I", 2**32 - 2),
        ("record at the end", directory + 42, "<I", len(plain) - 4),
        ("name of 64 kB", directory + 28, "<H", 2**16 - 1),
        ("encrypted", directory + 8, "<H", 1),
        ("unknown method", directory + 10, "<H", 99),
        ("local name of 64 kB", 26, "<H", 2**16 - 1),
    ):
        yield name, plain[:at] + struct.pack(form, value) + plain[at + struct.calcsize(form) :]
    first, second = directory + 42, plain.index(b"PK\x01\x02", directory + 1) + 42
    yield "records that overlap", plain[:second] + plain[first : first + 4] + plain[second + 4 :]


def _bomb(size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a/data.pkl", "w") as record:
        for _ in range(size >> 20):
            record.write(b"]" * (1 << 20))
    return buffer.getvalue()


def headers(big: bool) -> Iterator[tuple[str, bytes]]:
    """safetensors files that are none."""
    many = 20_000_000 if big else 1_100_000
    for name, length in {"2^64": 2**64 - 1, "2^63": 2**63, "100 MB": 10**8, "4 GB": 2**32, "0": 0}.items():
        yield f"of a header of {name}", safetensors({"a": entry()}, length=length)
    yield "of brackets", safetensors(b'{"a":[' + b"[]," * many + b"[]]}")
    yield "of zeros", safetensors(b'{"a":[' + b"0," * many + b"0]}")
    yield "of objects", safetensors(b'{"a":[' + b"{}," * many + b"{}]}")
    yield "of brackets in brackets", safetensors(b'{"a":' + b"[" * many)
    yield "of objects in objects", safetensors(b'{"a":' * 200_000 + b"0" + b"}" * 200_000)
    yield "of one text", safetensors(b'{"__metadata__":{"a":"' + b"a" * many + "\U0001f600".encode() + b'"}}')
    yield "of escapes", safetensors(b'{"__metadata__":{"a":"' + rb"\u0041" * many + b'"}}')
    yield "of digits", safetensors(b'{"a":{"dtype":"F32","shape":[' + b"9" * 4_999 + b'],"data_offsets":[0,16]}}')
    yield "of 4,000 digits", safetensors(b'{"a":{"dtype":"F32","shape":[' + b"9" * 4_000 + b'],"data_offsets":[0,16]}}')
    yield (
        "of 4,000 digits four times",
        safetensors(
            b'{"a":{"dtype":"F32","shape":['
            + b",".join([b"9" * 4_000] * 4)
            + b'],"data_offsets":[0,'
            + b"9" * 4_000
            + b"]}}"
        ),
    )
    yield (
        "of many names",
        safetensors({f"a{n}.fc.weight": entry(shape=[0], data_offsets=[0, 0]) for n in range(60_000)}, b""),
    )
    yield "of a name twice", safetensors(b'{"a":{"dtype":"F32"},"a":{}}')
    yield "of a metadata that is none", safetensors({"__metadata__": [[]], "a": entry()})
    yield "of UTF-16", safetensors('{"a": 1}'.encode("utf-16"))
    yield "of no UTF-8", safetensors(b'{"\xff": 1}')
    yield "of a surrogate", safetensors(b'{"\\ud800":' + json.dumps(entry()).encode() + b"}")
    yield "of NaN", safetensors(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,1e400]}}')
    for name, changes in {
        "of a huge shape": {"shape": [2**63 - 1] * 3},
        "of shapes that overflow to 16 bytes": {"shape": [2**62 + 4, 4]},
        "of a negative shape": {"shape": [-2, -2]},
        "of 100,000 dimensions": {"shape": [1] * 100_000, "data_offsets": [0, 4]},
        "of offsets in reverse": {"data_offsets": [16, 0]},
        "of negative offsets": {"data_offsets": [-16, 0]},
        "of offsets outside": {"data_offsets": [2**62, 2**62 + 16]},
        "of one offset": {"data_offsets": [16]},
        "of a dtype that is none": {"dtype": "F32" * 1000},
        "of a dtype in a list": {"dtype": [["F32"]]},
        "of a shape in text": {"shape": "22"},
    }.items():
        yield name, safetensors({"a": entry(**changes)})
    yield "of tensors that overlap", safetensors({"a": entry(), "b": entry()})
    yield "of tensors within", safetensors({"a": entry(), "b": entry(shape=[1], data_offsets=[4, 8])})
    yield "of data that is missing", safetensors({"a": entry()}, b"")
    yield "of nothing", safetensors(b"")


def by_hand(big: bool) -> Iterator[tuple[str, bytes, str]]:
    """Each hostile pickle in a zip, in the older format, and alone."""
    pickles: list[tuple[str, bytes]] = []
    for name, value in [*calls(), *values(big)]:
        pickles += [(f"{name}, alone", b"\x80\x02" + value + b"."), (f"{name}, beside", beside(value))]
    pickles += [(f"call for a weight, {name}", state(text("weight"), value)) for name, value in calls()]
    pickles += [(f"tensor {name}", state(text("weight"), value)) for name, value in tensors()]
    pickles += [(f"names {name}", pickle) for name, pickle in names()]
    for name, pickle in pickles:
        yield f"zip: {name}", zipped(pickle), ".pth"
        yield f"pickle: {name}", before_1_6(pickle), ".pth"
        if name.endswith("alone"):
            yield f"bare: {name}", pickle, ".pkl"
            yield f"keys: {name}", before_1_6(state(text("weight"), WEIGHT), keys=pickle), ".pt"
    for name, data in archives(big):
        yield f"archive {name}", data, ".pth"
    for name, data in headers(big):
        yield f"safetensors {name}", data, ".safetensors"
    good = state(text("weight"), WEIGHT)
    for name, data in {"none": b"", "other": struct.pack("<Q", 2**63) + bytes(16), "half": bytes(12)}.items():
        yield f"pickle: data {name}", before_1_6(good, data=data), ".pth"
    yield "pickle: keys twice", before_1_6(good, keys=b"\x80\x02](X\x01\x00\x00\x000X\x01\x00\x00\x000e."), ".pth"
    for name, data in {
        "empty": b"",
        "text": b"weights\n" * 100,
        "gzip": b"\x1f\x8b" + bytes(50),
        "zeros": bytes(5000),
    }.items():
        yield name, data, ".bin"


def valid() -> dict[str, bytes]:
    """Small files as torch and safetensors write them, by suffix."""
    import torch
    from safetensors.torch import save

    layer = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    tensors = {f"module.{name}": value.clone() for name, value in layer.state_dict().items()}
    contents = {"epoch": 3, "state_dict": tensors, "best": torch.tensor(1.5), "lr": [0.1, {"a": None}], "set": {1, 2}}
    files = {".safetensors": save(tensors)}
    for suffix, new in ((".pth", True), (".tar", False)):
        buffer = io.BytesIO()
        torch.save(contents, buffer, _use_new_zipfile_serialization=new)
        files[suffix] = buffer.getvalue()
    return files


def _flip(data: bytearray, chance: random.Random) -> None:
    """A bit, or a byte by another of the file's own."""
    place = chance.randrange(len(data))
    data[place] = chance.choice((data[place] ^ 1 << chance.randrange(8), chance.choice(data)))


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _remove(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, 40)]


def _repeat(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    piece = data[start : start + chance.randint(1, 60)]
    data[start:start] = piece * chance.choice((1, 2, 50, 5000))


def _swap(data: bytearray, chance: random.Random) -> None:
    size = chance.randint(1, 40)
    one, two = (chance.randrange(max(1, len(data) - size)) for _ in range(2))
    data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


def _number(data: bytearray, chance: random.Random) -> None:
    form = chance.choice(("<B", "<H", "<I", "<Q"))
    bits = 8 * struct.calcsize(form)
    value = chance.choice((0, 1, 2**bits - 1, 2 ** (bits - 1), 2 ** (bits - 1) - 1, chance.randrange(2**bits)))
    start = chance.randrange(len(data))
    data[start : start + bits // 8] = struct.pack(form, value)


def _digits(data: bytearray, chance: random.Random) -> None:
    places = [place for place, byte in enumerate(data) if 48 <= byte < 58]
    if places:
        place = chance.choice(places)
        data[place : place + 1] = chance.choice((b"-1", b"0", b"99999999999999999999", b"9" * 5000, b"1e9", b"[]"))


def _insert(data: bytearray, chance: random.Random) -> None:
    """A value of a pickle, made and dropped, somewhere in it; or any byte."""
    value = chance.choice([value for _, value in [*calls(), *tensors()]]) + b"0"
    start = chance.randrange(len(data))
    data[start:start] = chance.choice((value, bytes([chance.randrange(256)])))


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _flip, _flip, _number, _number, _digits),
    *(_cut, _remove, _repeat, _swap, _insert),
)


def _parts(suffix: str, data: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """What of a file says what is in it, and what makes a file with other such bytes, whole around them."""
    if suffix == ".safetensors":
        length = 8 + int.from_bytes(data[:8], "little")
        return data[8:length], lambda header: safetensors(header, data[length:])
    if suffix == ".pth":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            records = {f"archive/{name.partition('/')[2]}": archive.read(name) for name in archive.namelist()}
        pickle = records.pop("archive/data.pkl")
        return pickle, lambda changed: zipped(changed, records)
    return data, bytes


def changed(count: int, seed: int = 0) -> Iterator[tuple[str, bytes, str]]:
    """So many files, each a valid one after one to three changes, anywhere or in its pickle or header alone."""
    files = valid()
    for number in range(count):
        chance = random.Random(f"{seed}.{number}")
        suffix = chance.choice([*files])
        whole = chance.random() < 0.3
        inside, around = (files[suffix], bytes) if whole else _parts(suffix, files[suffix])
        data = bytearray(inside)
        changes = [chance.choice(CHANGES) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
        for change in changes:
            if data:
                change(data, chance)
        yield f"{number} {'+'.join(change.__name__[1:] for change in changes)}", around(bytes(data)), suffix


def hostile_files(
    count: int = 0, seed: int = 0, *, every: int = 1, big: bool = False
) -> Iterator[tuple[str, bytes, str]]:
    """Names, contents and suffixes of hostile files: those made by hand, and `count` that are changed at random.

    Of those by hand it takes one of `every`, others for each seed; `big` makes those that are large as large as a
    reader's limits, or larger.
    """
    yield from (one for place, one in enumerate(by_hand(big)) if (place + seed) % every == 0)
    yield from changed(count, seed)


def hostile_paths(folder: Path) -> dict[str, Path]:
    """Paths of what is no file of weights though it can be opened, made in `folder`."""
    paths = {name: folder / name for name in ("pipe", "loop", "folder", "dangling", "sparse.pth", "sparse.safetensors")}
    os.mkfifo(paths["pipe"])
    paths["loop"].symlink_to("loop")
    paths["dangling"].symlink_to("nothing")
    paths["folder"].mkdir()
    for suffix, head in ((".pth", MAGIC + b"\x80\x02\x8e" + struct.pack("<Q", 1 << 35)), (".safetensors", bytes(8))):
        with paths[f"sparse{suffix}"].open("wb") as file:
            file.write(head)
            file.truncate(1 << 36)
    devices = {
        path: Path(path) for path in ("/dev/zero", "/dev/null", "/dev/tty", "/proc/self/mem", "/proc/self/environ")
    }
    return {**paths, **devices, "NUL": Path("a\0b"), "long": Path("a" * 5000), "empty": Path("")}
