"""Pictures as arrays: read from files within bounds, and written as PNG, alone or in a grid."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from ...errors import InvalidTypeError, InvalidValueError
from ...words import quoted

if TYPE_CHECKING:
    from ...values.arrays import Array

Size: TypeAlias = int | tuple[int, int] | None
"""What a picture is scaled to: the side of a square, or a width and a height; what does not fit is cut off."""

READ = 2**26
"""Pixels of a file, at most; they take 200 MB."""

PIXELS = 2**22
"""Pixels that are filtered, at most."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""What is read; none of them runs another program, as PostScript does."""

GREYS = ("1", "L", "LA", "La")
"""The modes of pictures of one channel, of 8 bits."""

BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError, struct.error)
"""What decoders raise for files that are damaged."""

GAP = 8
"""Pixels between the pictures of a grid."""


def read(picture: Any, grey: bool, size: Size) -> tuple[str, Array]:
    """A picture's name and values, (channels, height, width): one channel, or red, green and blue. It is a file, or an
    array (height, width) or (height, width, channels) of 0 to 255."""
    if isinstance(picture, str | os.PathLike):
        path = os.fspath(picture)
        return os.path.basename(path), _array(_opened(path), grey, size)
    return "picture", _array(_from_array(picture), grey, size)


def _opened(path: str) -> Image.Image:
    if not os.path.isfile(path):
        raise InvalidValueError(f"{quoted(path)} is no file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a size that is refused below, and of metadata
        try:
            opened = Image.open(path, formats=FORMATS)
            _bounded(opened, READ, "scale it down first")
            opened.load()
            image = _of_8_bits(opened, path)
        except UnidentifiedImageError:
            raise InvalidValueError(f"{quoted(path)} is no picture as PNG, JPEG or WebP are") from None
        except Image.DecompressionBombError as error:
            raise InvalidValueError(f"{quoted(path)} is too large: {error}") from None
        except InvalidValueError:
            raise
        except BROKEN as error:
            raise InvalidValueError(f"{quoted(path)} is a damaged picture: {error}") from None
    return ImageOps.exif_transpose(image)


def _of_8_bits(image: Image.Image, path: str) -> Image.Image:
    """A picture of 16 bits as one of 8; Pillow's own conversion makes white of all but its darkest 256 values."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        found = Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))
        found.info.update(image.info)
        return found
    if image.mode in ("I", "F"):
        raise InvalidValueError(
            f"{quoted(path)} has pixels of 32 bits, of which white is not known: save it with 8 or 16"
        )
    return image


def _from_array(given: Any) -> Image.Image:
    found = np.asarray(given)
    if found.dtype.kind not in "uif" or found.ndim not in (2, 3) or found.shape[2:] not in ((), (1,), (3,), (4,)):
        raise InvalidTypeError(
            f"a picture is a file, or an array (height, width) or (height, width, channels) of 1, 3 or 4 channels; got "
            f"{quoted(given)}"
        )
    if not found.size or not 0 <= found.min() <= found.max() <= 255:
        raise InvalidValueError("the values of a picture are from 0 to 255")
    if found.shape[2:] == (1,):
        found = found[:, :, 0]
    return Image.fromarray(found.astype(np.uint8))


def _array(image: Image.Image, grey: bool, size: Size) -> Array:
    """As it is to be filtered: what is transparent is taken as it is underneath."""
    image = image.convert("L" if grey or image.mode in GREYS else "RGB")
    if size is not None:
        image = ImageOps.fit(image, (size, size) if isinstance(size, int) else size, Image.Resampling.BICUBIC)
    _bounded(image, PIXELS, "say --size 440, size=440 in Python, or scale it down first")
    found = np.asarray(image)
    return found[None] if found.ndim == 2 else found.transpose(2, 0, 1)


def scaled(image: Array, side: int) -> Array:
    """(channels, height, width) with its shorter side of so many pixels."""
    given = _pillow(image)
    width, height = (max(1, round(length * side / min(given.size))) for length in given.size)
    if width * height > PIXELS:
        raise InvalidValueError(
            f"a picture of {width:,}x{height:,} has more than {PIXELS:,} pixels: say a smaller size"
        )
    return _array(given.resize((width, height), Image.Resampling.BICUBIC), False, None)


def _bounded(image: Image.Image, most: int, instead: str) -> None:
    width, height = image.size
    if width * height > most:
        raise InvalidValueError(f"a picture of {width:,}x{height:,} has more than {most:,} pixels: {instead}")


def encoded(image: Array, format: str = "PNG") -> bytes:
    """(channels, height, width), of one or three channels, as a file of Pillow's format."""
    out = BytesIO()
    _pillow(image).save(out, format)
    return out.getvalue()


def grid(images: Sequence[tuple[str, Array]], columns: int) -> Array:
    """Pictures side by side, so many in a row, with their names and sizes above."""
    height, width = (max(image.shape[axis] for _, image in images) for axis in (1, 2))
    mode = "L" if all(len(image) == 1 for _, image in images) else "RGB"
    size = max(12, width // 24)  # of the names: a sheet of large pictures is shown smaller than it is
    down, across = height + size + 2 * GAP, width + GAP
    sheet = Image.new(mode, (columns * across + GAP, -(-len(images) // columns) * down + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for place, (name, image) in enumerate(images):
        x, y = GAP + place % columns * across, GAP + place // columns * down
        draw.text((x, y + 3), f"{name}  {image.shape[2]}x{image.shape[1]}", "black", ImageFont.load_default(size))
        sheet.paste(_pillow(image), (x, y + size + GAP))
    return np.asarray(sheet)[None] if mode == "L" else np.asarray(sheet).transpose(2, 0, 1)


def _pillow(image: Array) -> Image.Image:
    return Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
