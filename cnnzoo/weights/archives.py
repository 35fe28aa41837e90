"""Where the tensors lie in what torch.save wrote: a zip, or before torch 1.6 pickles one after the other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO, Any, NamedTuple
from zipfile import ZIP_STORED, ZipFile, ZipInfo
from zlib import crc32

from .pickles import ITEMS, Broken, Pickle, Storage, printable

MAGIC = 0x1950A86A20F9469CFC6C
"""The first thing in a file of torch before 1.6."""

LARGEST_DIRECTORY = 8_000_000
"""Bytes of a zip's list of records: about 120,000 of them."""


class Saved(NamedTuple):
    """What a file holds, and the byte at which each storage begins, by its key."""

    contents: Any
    starts: Mapping[str, int]


def read_zip(file: IO[bytes], size: int) -> Saved:
    """torch's zip: the pickle `data.pkl`, and each storage an uncompressed record `data/KEY`, which is not read."""
    try:
        infos = ZipFile(_Directory(file)).infolist()
    except Broken:
        raise
    except Exception as error:  # zipfile raises all kinds for a damaged file
        raise Broken(f"is truncated or damaged: {printable(str(error))}") from None
    records = {info.filename: info for info in infos}
    name = next((name for name in records if name.rpartition("/")[2] == "data.pkl"), None)
    if name is None:
        raise Broken("is a zip archive, but no checkpoint: it has no data.pkl")
    if len(records) < len(infos):
        raise Broken("is damaged: it has two records of one name")
    folder = name.removesuffix("data.pkl")
    if f"{folder}constants.pkl" in records:
        raise Broken("is a TorchScript archive: save torch.jit.load(path).state_dict() with torch.save")
    order = records.get(f"{folder}byteorder")
    if order and _bytes(file, size, order, 8) == b"big":
        raise Broken("was saved on a big-endian machine: load and save it again with torch")
    file.seek(_start(file, size, records[name]))
    pickle = Pickle(file, records[name].file_size)
    starts = {}
    for key, storage in pickle.storages.items():
        needed, record = storage.length * ITEMS[storage.dtype], records.get(f"{folder}data/{key}")
        there = record.file_size if record else 0
        if there < needed:
            raise Broken(f"is damaged: its record data/{printable(key)} should have {needed} bytes and has {there}")
        starts[key] = _start(file, size, record) if record else 0
    return Saved(pickle.contents, starts)


def check_sums(file: IO[bytes], size: int) -> None:
    """Read torch's zip wholly, and raise `Broken` where a record has not the CRC-32 that was written with it.

    A sum of 0 is none: torch writes that where `set_crc32_options(False)` was called. Other formats have no sums.
    """
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        return
    infos = ZipFile(_Directory(file)).infolist()
    if sum(info.file_size for info in infos) > size:
        raise Broken("is damaged: its records are longer than the file")
    for info in infos:
        left, found = info.file_size, 0
        file.seek(_start(file, size, info))
        while left and (piece := file.read(min(left, 1 << 20))):
            left, found = left - len(piece), crc32(piece, found)
        if info.CRC not in (0, found):
            raise Broken(f"is damaged: the checksum of its record {printable(info.filename)} is not that of its bytes")


class _Directory:
    """A file of which no piece larger than a directory is read, whatever a zip's end says of its length."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._read = file.read

    def read(self, size: int = -1) -> bytes:
        data = self._read(size if 0 <= size <= LARGEST_DIRECTORY else LARGEST_DIRECTORY + 1)
        if len(data) > LARGEST_DIRECTORY:
            raise Broken(f"is no checkpoint, or damaged: its list of records is more than {LARGEST_DIRECTORY} bytes")
        return data


def _start(file: IO[bytes], size: int, info: ZipInfo) -> int:
    """The byte at which a record's data begins; `Broken` where that is not in the file as it is."""
    if info.compress_type != ZIP_STORED or info.flag_bits & 1 or info.compress_size != info.file_size:
        raise Broken("has compressed records, which torch.save does not write: load and save it again with torch")
    if not 0 <= info.header_offset <= size:
        raise Broken("is truncated or damaged: a record is not in the file")
    file.seek(info.header_offset)
    head = file.read(30)
    start = info.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    if head[:4] != b"PK\x03\x04" or start + info.file_size > size:
        raise Broken("is truncated or damaged: a record is not in the file")
    return start


def _bytes(file: IO[bytes], size: int, info: ZipInfo, most: int) -> bytes:
    file.seek(_start(file, size, info))
    return file.read(min(most, info.file_size))


def read_pickles(file: IO[bytes], size: int) -> Saved:
    """torch's format before 1.6: magic number, version, sizes of types, the pickle, its storages' keys, their data.

    Each storage is its number of elements, in 8 bytes, and they.
    """
    if Pickle(file).contents != MAGIC:
        raise Broken("is a pickle, but no checkpoint; what torch.save or safetensors writes would be one")
    version, machine = Pickle(file).contents, Pickle(file).contents
    if type(version) is not int or not isinstance(machine, dict):
        raise Broken("is truncated or damaged: its pickles are not those of a checkpoint")
    if machine.get("little_endian") is False:
        raise Broken("was saved on a big-endian machine: load and save it again with torch")
    pickle = Pickle(file)
    keys = Pickle(file).contents
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Broken("is truncated or damaged: it has no list of its storages")
    if len(keys) != len(pickle.storages) or {*keys} != pickle.storages.keys():
        raise Broken("is damaged: its list of storages has others than its tensors")
    needed = sum(8 + _bytes_of(storage) for storage in pickle.storages.values())
    if size - file.tell() < needed:
        raise Broken(f"is truncated: its tensors take {needed} bytes, and {size - file.tell()} are there")
    starts = {}
    for key in keys:
        storage = pickle.storages[key]
        if int.from_bytes(file.read(8), "little") != storage.length:
            raise Broken(f"is damaged: storage {printable(key)} has another number of elements than its tensors say")
        starts[key] = file.tell()
        file.seek(_bytes_of(storage), os.SEEK_CUR)
    return Saved(pickle.contents, starts)


def _bytes_of(storage: Storage) -> int:
    return storage.length * ITEMS[storage.dtype]
