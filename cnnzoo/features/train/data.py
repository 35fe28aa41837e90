"""Labelled pictures: data sets that install with a package, files of MNIST's format, folders of pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InvalidTypeError, InvalidValueError
from ...extras import need
from ...words import counted, hint, listed, quoted, sides
from .idx import BYTES, DataError, read_idx

if TYPE_CHECKING:
    from ...arch import Shape
    from ...values.arrays import Array

CLASSES = 10_000
"""At most; a picture's class in idx files is one byte, in folders a folder."""

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")

PLACES = {
    "fashion-mnist": ("/usr/share/datasets/fashion-mnist", "data/FashionMNIST/raw"),
    "mnist": ("/usr/share/datasets/mnist", "data/MNIST/raw"),
}
"""Where a data set is looked for by its name: where Debian's `dataset-fashion-mnist` puts it, and where torchvision
does with the root "data"."""

INSTEAD = {
    "fashion-mnist": "install Debian's dataset-fashion-mnist, or give --data DIR, the folder that has its files",
    "mnist": "give --data DIR, the folder that has its files",
}

NAMES = ("digits", *PLACES)
"""The data sets that have a name."""

CLOTHES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
"""Fashion-MNIST's classes (Xiao et al. 2017, table 2)."""

TRAIN, TEST = ("train", "training"), ("test", "val", "validation", "valid")
"""How the folders of the two parts are called."""


@dataclass(frozen=True, eq=False, repr=False)
class Pictures:
    """Pictures with their classes."""

    images: Array
    """(number, channels, height, width), whole numbers from 0 to 255 as uint8."""
    labels: Array
    """The number of each picture's class, from 0, as int64."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """A data set: pictures to train on, of which a share is kept for validation, and others for the test, if any."""

    name: str
    classes: tuple[str, ...]
    train: Pictures
    test: Pictures | None = None

    @property
    def shape(self) -> Shape:
        """(channels, height, width) of a picture."""
        return tuple(self.train.images.shape[1:])

    def __post_init__(self) -> None:
        if len({*self.classes}) < len(self.classes):
            raise InvalidValueError(
                f"a class of {self.name} has its name twice: {listed(map(quoted, self.classes), 8)}"
            )
        for part in filter(None, (self.train, self.test)):
            images, labels = part.images, part.labels
            if getattr(images, "ndim", 0) != 4 or str(images.dtype) != "uint8" or images.shape[1] not in (1, 3):
                raise InvalidTypeError(
                    "images are an array of uint8 (number, channels, height, width) of 1 or 3 channels; got "
                    f"{sides(tuple(getattr(images, 'shape', ()))) or quoted(images)} of {getattr(images, 'dtype', '?')}"
                )
            if tuple(labels.shape) != (len(images),) or str(labels.dtype) != "int64":
                raise InvalidTypeError(
                    f"labels are an array of int64, one for each of {counted(len(images), 'pictures')}; got "
                    f"{sides(tuple(labels.shape))} of {labels.dtype}"
                )
            if not len(images) or not 0 <= labels.min() <= labels.max() < len(self.classes):
                raise InvalidValueError(
                    f"labels are from 0 to {len(self.classes) - 1}, of {counted(len(self.classes), 'classes')}"
                )
        if self.test is not None and tuple(self.test.images.shape[1:]) != self.shape:
            raise DataError(
                f"{self.name}: pictures to train on are {sides(self.shape)}, those of the test "
                f"{sides(tuple(self.test.images.shape[1:]))}: say --input-size, to which all are scaled"
            )

    def __str__(self) -> str:
        test = "" if self.test is None else f" and {len(self.test):,} for the test"
        return f"{self.name}: {counted(len(self.train), 'pictures')}{test}, {sides(self.shape)}, " + counted(
            len(self.classes), "classes"
        )

    __repr__ = __str__


def read_data(name: str | os.PathLike[str], side: int | None = None) -> Data:
    """The data set of a name, "digits", "fashion-mnist" or "mnist", or in a folder.

    A folder has idx files as MNIST's are called (train-images-idx3-ubyte, .gz or not), itself or in raw, MNIST/raw or
    FashionMNIST/raw below it; or a folder of pictures for each class, itself or in train and test below it. Pictures of
    a folder are scaled to `side` pixels and their middle square is kept, and must be of one size without it. Raises
    `DataError`.
    """
    text = os.fspath(name)
    if text == "digits":
        return _digits()
    if text in PLACES:
        found = next((place for place in map(Path, PLACES[text]) if _images(place, "train")), None)
        if found is None:
            raise DataError(f"{text} is not in {' or '.join(PLACES[text])}: {INSTEAD[text]}")
        return _idx(found, text, CLOTHES if text == "fashion-mnist" else None)
    folder = Path(text)
    try:
        if not text or not folder.is_dir():
            what = "is a file, not a folder" if text and folder.exists() else "is neither a data set nor a folder"
            raise DataError(f"--data {quoted(text)} {what}; {hint(text, NAMES)}")
        below = [folder, *(folder / one for one in ("raw", "MNIST/raw", "FashionMNIST/raw"))]
        files = [place for place in below if _images(place, "train")]
        if len(files) > 1:
            raise DataError(f"{text} has several data sets: give one of {listed(map(str, files))}")
        if files:
            clothes = "FashionMNIST" in files[0].parts or "fashion-mnist" in files[0].parts
            return _idx(files[0], text, CLOTHES if clothes else None)
        return _folder(folder, side)
    except OSError as error:
        raise DataError(f"{quoted(str(error.filename or text))} cannot be read: {error.strerror or error}") from None


def _digits() -> Data:
    """scikit-learn's 1,797 digits of 8x8, whose values from 0 to 16 are scaled to 255 and rounded."""
    need("digits", "train", "sklearn")
    import numpy as np
    from sklearn.datasets import load_digits

    found: Any = load_digits()
    images = np.rint(found.images * (255 / 16)).astype(np.uint8)[:, None]
    return Data("digits", tuple(map(str, range(10))), Pictures(images, found.target.astype(np.int64)))


def _images(folder: Path, part: str) -> Path | None:
    """The file of a part's images in a folder, if it has one."""
    return _file(folder, part, "images", 3)


def _file(folder: Path, part: str, what: str, dimensions: int) -> Path | None:
    names = (f"{part}-{what}{dot}idx{dimensions}-ubyte{end}" for dot in ("-", ".") for end in ("", ".gz"))
    return next((path for path in (folder / name for name in names) if path.is_file()), None)


def _idx(folder: Path, name: str, classes: tuple[str, ...] | None) -> Data:
    parts = dict[str, Pictures]()
    for part in ("train", "t10k"):
        images, labels = _images(folder, part), _file(folder, part, "labels", 1)
        if images is None and labels is None and part == "t10k":
            continue
        if images is None or labels is None:
            what = "images-idx3" if images is None else "labels-idx1"
            raise DataError(f"{folder} has no {part}-{what}-ubyte, with .gz or without")
        x, y = read_idx(images, 3), read_idx(labels, 1)
        if len(x) != len(y):
            raise DataError(f"{images} has {counted(len(x), 'pictures')}, {labels.name} {counted(len(y), 'labels')}")
        parts[part] = Pictures(x[:, None], y.astype("int64"))
    train, test = parts["train"], parts.get("t10k")
    count = int(train.labels.max()) + 1 if classes is None else len(classes)
    for one in filter(None, (train, test)):
        if int(one.labels.max()) >= count:
            raise DataError(f"{folder}: a label is {int(one.labels.max())}, and there are {counted(count, 'classes')}")
    return Data(name, classes or tuple(map(str, range(count))), train, test)


def _folder(folder: Path, side: int | None) -> Data:
    """A folder for each class, whose name it has, with its pictures."""
    there = _subfolders(folder)
    parts = [name for name in TRAIN if name in there and ({*there} <= {*TRAIN, *TEST} or _subfolders(folder / name))]
    whole = next((folder / name for name in parts), folder)  # "train" without folders, among others, is a class
    other = next((folder / name for name in TEST if (folder / name).is_dir()), None) if whole != folder else None
    classes = _subfolders(whole)
    if not classes:
        raise DataError(
            f"{whole} has no idx files as train-images-idx3-ubyte.gz, and no folder of pictures for each class"
        )
    if len(classes) > CLASSES:
        raise DataError(f"{whole} has {len(classes):,} folders; at most {CLASSES:,} classes are taken")
    if other is not None and (unknown := [one for one in _subfolders(other) if one not in classes]):
        raise DataError(f"{whole} has no class {quoted(unknown[0])}, as {other} has; {hint(unknown[0], classes)}")
    if other is not None and not _subfolders(other):
        raise DataError(f"{other} has no folder of pictures for each class, as {whole} has")
    need("folders of pictures", "train", "PIL")
    train = _pictures(whole, classes, classes, side)
    test = None if other is None else _pictures(other, _subfolders(other), classes, side)
    channels = max(one.images.shape[1] for one in (train, test) if one is not None)
    return Data(str(folder), tuple(classes), _coloured(train, channels), test and _coloured(test, channels))


def _coloured(pictures: Pictures, channels: int) -> Pictures:
    """Pictures of so many channels: grey ones have it in each."""
    import numpy as np

    shape = (len(pictures), channels, *pictures.images.shape[2:])
    return Pictures(np.ascontiguousarray(np.broadcast_to(pictures.images, shape)), pictures.labels)


def _subfolders(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))


def _pictures(folder: Path, there: Sequence[str], classes: Sequence[str], side: int | None) -> Pictures:
    import numpy as np

    from ..filters.pictures import read

    files = list(_files(folder, there, classes))
    images = list[Any]()
    total = 0
    for file, _ in files:
        image = read(file, False, side)[1]
        if images and image.shape[1:] != images[0].shape[1:]:
            one, two = (sides(shape[1:]) for shape in (images[0].shape, image.shape))
            raise DataError(
                f"{files[0][0]} is {one}, and {file} {two}: say --input-size {min(image.shape[1:])}, say, to which all "
                f"are scaled"
            )
        total += 3 * image.size // len(image)
        if total > BYTES:
            raise DataError(f"the pictures of {folder} take more than {BYTES:,} bytes: say a smaller --input-size")
        images.append(image)
    channels = max(map(len, images))
    whole = np.stack([np.broadcast_to(one, (channels, *one.shape[1:])) for one in images]).astype(np.uint8)
    return Pictures(whole, np.array([number for _, number in files], np.int64))


def _files(folder: Path, there: Sequence[str], classes: Sequence[str]) -> Iterator[tuple[Path, int]]:
    for name in there:
        files = sorted(one for one in (folder / name).iterdir() if one.suffix.lower() in ENDINGS)
        if not files:
            raise DataError(f"the class {quoted(name)} has no pictures in {folder / name}: {', '.join(ENDINGS)}")
        yield from ((file, classes.index(name)) for file in files)
