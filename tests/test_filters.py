"""`cnnzoo filters`: what a picture is under fixed kernels, each channel by itself."""

from __future__ import annotations

import json
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command import call
from PIL import Image
from sklearn.datasets import load_sample_image

import cnnzoo
from cnnzoo.arch import ShapeError
from cnnzoo.errors import CnnzooError, InvalidTypeError, InvalidValueError
from cnnzoo.features.filters import FILTERS, RANDOM, filters
from cnnzoo.features.filters.pictures import grid as names_and_pictures
from cnnzoo.features.filters.pictures import read
from cnnzoo.render.document import FORMATS

NAMES = [*FILTERS, RANDOM]


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    """440 by 440 pixels, in colour."""
    picture: np.ndarray = load_sample_image("china.jpg")[:440, :440]
    return np.pad(picture, ((0, 440 - len(picture)), (0, 0), (0, 0)), mode="edge")


@pytest.fixture
def file(tmp_path: Path, photograph: np.ndarray) -> str:
    Image.fromarray(photograph[100:160, 100:150]).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.mark.parametrize(("stride", "side"), [(1, 438), (2, 219), (3, 146)])
def test_responses_are_those_of_torch(photograph: np.ndarray, stride: int, side: int) -> None:
    """Whole numbers and sixteenths are exact; each channel is convolved by itself."""
    found = filters(photograph, list(FILTERS), stride=stride)
    x = torch.from_numpy(photograph.copy()).permute(2, 0, 1)[:, None].double()
    for name, filter_ in FILTERS.items():
        kernels = torch.tensor(filter_.kernels, dtype=torch.double)[:, None]
        y = torch.nn.functional.conv2d(x, kernels, stride=stride)
        assert found.maps[name].shape == (3, side, side)
        wanted = y[:, 0] if len(kernels) == 1 else y.square().sum(1).sqrt()
        assert torch.allclose(torch.from_numpy(found.maps[name]).double(), wanted, rtol=1e-6, atol=0)


def test_the_sum_of_a_random_bank_is_one_filter(photograph: np.ndarray) -> None:
    """Of the responses to eight kernels, as many as the seed draws."""
    found = filters(photograph, [RANDOM], seed=5).maps[RANDOM]
    bank = torch.from_numpy(np.random.default_rng(5).standard_normal((8, 1, 3, 3)))
    x = torch.from_numpy(photograph.copy()).permute(2, 0, 1)[:, None].double()
    assert torch.allclose(torch.from_numpy(found).double(), torch.nn.functional.conv2d(x, bank).sum(1), atol=1e-2)
    assert (filters(photograph, [RANDOM], seed=5).maps[RANDOM] == found).all()
    assert not np.allclose(filters(photograph, [RANDOM], seed=6).maps[RANDOM], found)


def test_what_filters_do_to_an_edge() -> None:
    """A white right half: a Sobel filter sees the edge along one axis, and no filter of sum 0 anything elsewhere."""
    half = np.zeros((6, 8), np.uint8)
    half[:, 4:] = 255
    found = filters(half, list(FILTERS))
    assert found.maps["sobel_x"][0, 0].tolist() == [0, 0, 4 * 255, 4 * 255, 0, 0]
    assert not found.maps["sobel_y"].any()
    assert (found.maps["sobel"] == found.maps["sobel_x"]).all()
    assert found.maps["blur"][0, 0].tolist() == [0, 0, 255 / 4, 3 * 255 / 4, 255, 255]
    assert found.maps["outline"][0, 0].tolist() == [0, 0, -3 * 255, 3 * 255, 0, 0]
    assert found.image("sobel_x")[0, 0].tolist() == [128, 128, 255, 255, 128, 128]
    assert found.image("sobel")[0, 0].tolist() == [0, 0, 255, 255, 0, 0]
    assert found.image("sobel_y").tolist() == [[[128] * 6] * 4]
    assert found.image("outline")[0, 0].tolist() == [0, 0, 0, 255, 0, 0]
    flat = filters(np.full((5, 5), 7), list(FILTERS))
    for name in ("blur", "sharpen", "emboss"):
        assert (flat.image(name) == 7).all()


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png), formats=("PNG",))


def test_pictures(photograph: np.ndarray) -> None:
    """That of one filter alone is its pixels; a grid has all, each where it is."""
    alone = filters(photograph, ["blur"])
    assert (np.asarray(opened(alone.png())) == alone.image("blur").transpose(1, 2, 0)).all()
    found = filters(photograph[:90, :120], ["blur", "sobel", "emboss"])
    grid = np.asarray(opened(found.png()))
    assert grid.shape == (2 * (90 + 20 + 8) + 8, 3 * (120 + 8) + 8, 3)
    assert (grid[28:118, 8:128] == photograph[:90, :120]).all()
    assert (grid[28:116, 136:254] == found.image("blur").transpose(1, 2, 0)).all()
    large = names_and_pictures([("large", np.zeros((1, 10, 960), np.uint8))], 1)
    assert large.shape == (1, 8 + 40 + 8 + 10 + 8, 960 + 16)  # a name is read when it is shown smaller, too
    apart = np.asarray(opened(found.png(apart=True)))
    assert apart.shape == (4 * (90 + 20 + 8) + 8, 3 * (120 + 8) + 8)
    assert (apart[28:118, 136:256] == photograph[:90, :120, 1]).all()


def test_the_command(tmp_path: Path, file: str) -> None:
    found = filters(file)
    assert call("filters", file).succeeded() == f"{found}\n" == f"{cnnzoo.filters(file)}\n"
    for format_ in FORMATS:
        assert call("filters", file, "--format", format_).succeeded() == found.document().text(format_)
    rows = json.loads(call("filters", file, "--stride", "2", "--format", "json").succeeded())
    assert [(row["filter"], row["output_shape"]) for row in rows] == [(name, [3, 29, 24]) for name in NAMES]
    out = tmp_path / "out.png"
    assert call("filters", file, "--grey", "--size", "44", "sobel", "-o", str(out)).succeeded() == ""
    assert out.read_bytes() == filters(file, ["sobel"], grey=True, size=44).png()
    assert opened(out.read_bytes()).size == (42, 42)
    assert opened(out.read_bytes()).mode == "L"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F", "I;16"])
@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "gif", "tiff", "ppm", "webp"])
def test_pictures_of_every_mode_are_read(tmp_path: Path, mode: str, ending: str) -> None:
    path = tmp_path / f"one.{ending}"
    try:
        Image.new(mode, (5, 4), 1).save(path)
    except (OSError, ValueError, KeyError):
        pytest.skip("the format has no such mode")
    there = Image.open(path)
    if there.mode == "F" or (there.mode, there.format) == ("I", "TIFF"):
        with pytest.raises(InvalidValueError, match="pixels of 32 bits"):
            filters(path, ["blur"])
        return
    assert filters(path, ["blur"]).maps["blur"].shape[1:] == (2, 3)


def test_pictures_of_16_bits_keep_their_greys(tmp_path: Path) -> None:
    greys = np.arange(0, 256, 4, np.uint8).reshape(8, 8)
    Image.fromarray(greys.astype(np.uint16) * 257).save(tmp_path / "one.png")
    (tmp_path / "one.pgm").write_bytes(b"P5 8 8 65535\n" + (greys.astype(">u2") * 257).tobytes())
    for file in ("one.png", "one.pgm"):
        assert (read(tmp_path / file, False, None)[1] == greys).all()


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is as large, with nothing in it."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no picture as PNG, JPEG or WebP are"),
        (b"no picture\n", "is no picture as PNG, JPEG or WebP are"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is no picture as PNG, JPEG or WebP are"),
        (bomb(10_000, 10_000), "10,000x10,000 has more than 67,108,864 pixels: scale it down first"),
        (bomb(100_000, 100_000), "is too large"),
        (bomb(5, 5), "is a damaged picture"),
        (b"P6 9 9 255\n123", "is a damaged picture"),
        (b"P5 2 2 255\n1234", "it takes at least 3"),
    ],
)
def test_what_is_no_picture_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "given.png"
    path.write_bytes(data)
    call("filters", str(path), "blur").refused(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sobelx",), "unknown filter 'sobelx'; did you mean sobel_x"),
        (("blur", "-o", "out.svg"), "a table cannot be written as .svg"),
        (("blur", "--apart"), "--apart is of pictures"),
        (("blur", "--size", "2"), "--size"),
        (("blur", "--stride", "0"), "--stride"),
        (("blur", "-o", "/nowhere/out.png"), "cannot write '/nowhere/out.png'"),
    ],
)
def test_what_cannot_be_is_said(file: str, arguments: tuple[str, ...], said: str) -> None:
    call("filters", file, *arguments).refused(said)


def test_a_full_disk_is_said(tmp_path: Path, file: str) -> None:
    (tmp_path / "out.png").symlink_to("/dev/full")
    call("filters", file, "-o", str(tmp_path / "out.png")).refused("cannot write", "No space left")


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.png", Path("/dev/zero")):
        call("filters", str(path)).refused("is no file")


def test_a_picture_too_large_to_be_filtered_is_scaled_first() -> None:
    """2,049 by 2,048 pixels are one row too many."""
    large = np.zeros((2049, 2048), np.uint8)
    with pytest.raises(InvalidValueError, match=r"2,048x2,049 has more than 4,194,304 pixels: say --size 440"):
        filters(large, ["blur"])
    assert filters(large, ["blur"], size=12).maps["blur"].shape == (1, 10, 10)


@pytest.mark.parametrize(
    "given", [[1, 2], np.zeros((4, 4, 2)), np.zeros((4, 4), complex), [["a"]], np.zeros((1, 4, 4, 3))]
)
def test_what_is_no_array_of_a_picture_is_said(given: Any) -> None:
    with pytest.raises(InvalidTypeError, match="a picture is a file, or an array"):
        filters(given)


@pytest.mark.parametrize(
    "given", [np.zeros((0, 4)), np.full((4, 4), 256), np.full((4, 4), -1), np.full((4, 4), np.nan)]
)
def test_values_that_no_picture_has_are_said(given: Any) -> None:
    with pytest.raises(InvalidValueError, match="from 0 to 255"):
        filters(given)


def test_a_picture_smaller_than_a_kernel_is_said() -> None:
    with pytest.raises(ShapeError, match="at least 3"):
        filters(np.zeros((2, 9)))


@pytest.mark.parametrize(("package", "name"), [("numpy", "numpy"), ("PIL", "pillow")])
def test_what_must_be_installed_is_said(package: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnzoo.extras.find_spec", lambda one: None if one == package else one)
    with pytest.raises(CnnzooError, match=rf"^{name} must be installed for filters: pip install 'cnnzoo\[filters\]'$"):
        filters(np.zeros((9, 9)))
