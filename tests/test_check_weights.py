"""`cnnzoo check-weights`: which network a file fits, from its header alone."""

import json
import subprocess
import sys
from functools import cache
from math import prod
from pathlib import Path

import pytest
from small import takes_classes

from cnnzoo import cli, list_models, summary
from cnnzoo.weights.matching import shapes


def sparse(path, tensors, item=4, dtype="F32", length=None):
    """A safetensors file with a true header and holes for data: it takes no room and says nothing but shapes."""
    entries, end = {}, 0
    for name, shape in tensors.items():
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + item * prod(shape)]}
        end += item * prod(shape)
    header = json.dumps(entries).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with path.open("r+b") as file:
        file.truncate(8 + len(header) + end)
    return str(path)


@pytest.fixture
def run(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main(["check-weights", *map(str, arguments)])
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return run


def same_tensors(name, **settings):
    own = shapes(name, **settings)
    others = filter(takes_classes if "num_classes" in settings else None, list_models())
    return {other for other in others if shapes_of(other, **settings) == own}


shapes_of = cache(shapes)


@pytest.mark.wide(4)
@pytest.mark.parametrize("name", list_models())
def test_every_network_is_found_by_its_tensors(name, run, tmp_path):
    code, out, err = run(sparse(tmp_path / "file", summary(name).tensors))
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 1
    found = set(out.partition(" fits ")[2].partition(" (")[0].split(" and "))
    assert found == same_tensors(name)


@pytest.mark.wide(4)
@pytest.mark.parametrize("name", list_models())
def test_and_with_other_classes_and_channels(name, run, tmp_path):
    """Classes where there are any, channels where the first layer is a convolution."""
    other = {"num_classes": 7} if takes_classes(name) else {}
    other |= {"in_chans": 5} if len(summary(name).input_size) == 3 else {}
    tensors = summary(name, **other).tensors
    code, out, _ = run(sparse(tmp_path / "file", tensors), "--format", "json")
    fits = {fit["network"]: fit["settings"] for fit in json.loads(out)["fits"]}
    assert code == 0
    assert fits[name] == other
    assert fits.keys() == same_tensors(name, **other)


def test_networks_that_differ_in_no_tensor_are_all_named(run, tmp_path):
    _, out, _ = run(sparse(tmp_path / "file", shapes("resnet50")))
    assert "fits resnet50 and resnet50_v1 (320 tensors, float32); a file does not tell them apart" in out


def test_a_name_that_fits_is_one_line(run, tmp_path):
    file = sparse(tmp_path / "file", shapes("vgg16"))
    assert run(file, "vgg16") == (0, f"{file} fits vgg16 (32 tensors, float32)\n", "")
    code, out, _ = run(sparse(tmp_path / "file", shapes("vgg16", num_classes=3)), "vgg16", "--num-classes", 3)
    assert code == 0
    assert "fits vgg16(num_classes=3)" in out


def test_a_name_that_does_not_is_told_tensor_by_tensor(run, tmp_path):
    code, out, err = run(sparse(tmp_path / "file", shapes("resnet18", num_classes=10)), "resnet18")
    assert (code, err) == (1, "")
    assert out.splitlines()[1:] == [
        "  fc.weight: (10, 512) in the file, (1000, 512) in the network",
        "  fc.bias: (10,) in the file, (1000,) in the network",
        "the file's classifier has 10 classes, the network's 1000: say --num-classes 10",
    ]
    code, out, _ = run(sparse(tmp_path / "file", shapes("googlenet_tv")), "googlenet")
    assert code == 1
    assert out.splitlines()[-2].startswith("  and ")
    assert out.splitlines()[-1] == "this is torchvision's GoogLeNet: use `googlenet_tv`"


def test_json_has_every_difference(run, tmp_path):
    code, out, _ = run(sparse(tmp_path / "file", shapes("googlenet_tv")), "googlenet", "--format", "json")
    said = json.loads(out)
    assert code == 1
    assert said["fits"] == []
    file, network = shapes("googlenet_tv"), shapes("googlenet")
    differing = [name for name in {**network, **file} if file.get(name) != network.get(name)]
    assert [one["name"] for one in said["differences"]] == differing
    for one in said["differences"]:
        for side, tensors in (("file", file), ("network", network)):
            assert one[side] == (list(tensors[one["name"]]) if one["name"] in tensors else None)


def test_the_nearest_where_none_fits(run, tmp_path):
    tensors = shapes("densenet121") | {"features.conv0.weight": (64, 3, 3, 3)}
    code, out, _ = run(sparse(tmp_path / "file", tensors))
    assert code == 1
    assert "fits no registered network; nearest is densenet121, with 1 difference\n" in out
    assert "  features.conv0.weight: (64, 3, 3, 3) in the file, (64, 3, 7, 7) in the network" in out
    code, out, _ = run(sparse(tmp_path / "file", {"embedding.weight": (3, 4)}))
    assert code == 1
    assert out.endswith("fits no registered network, nor is any of its tensors one of theirs\n")


def test_prefixes_and_old_names_are_read_as_by_load_checkpoint(run, tmp_path):
    names = {
        "module." + name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): shape
        for name, shape in shapes("densenet121").items()
        if not name.endswith("num_batches_tracked")
    }
    code, out, err = run(sparse(tmp_path / "file", names))
    assert code == 0
    assert "fits densenet121 " in out
    assert "Note: 'module.' was left out of its names (saved from DataParallel)" in err
    assert "norm.1" in err


@pytest.mark.parametrize("arguments", [(), ("resnet18",)])
def test_what_cannot_be_read_is_one_line_and_2(arguments, run, tmp_path):
    good = Path(sparse(tmp_path / "good.safetensors", {"a": (2,)})).read_bytes()
    for contents in (b"", b"text", good[:-1], good[:20], good[:5], b"\xff" * 8 + good[8:]):
        (tmp_path / "bad.safetensors").write_bytes(contents)
        code, out, err = run(tmp_path / "bad.safetensors", *arguments)
        assert (code, out) == (2, "")
        assert err.startswith("Error: ")
        assert len(err.splitlines()) == 1
    for path in (tmp_path, tmp_path / "none"):
        assert run(path, *arguments)[:2] == (2, "")


def test_bad_input_is_2(run, tmp_path):
    file = sparse(tmp_path / "file", {"a": (2,)})
    assert run(file, "renset18")[2].endswith("did you mean resnet18?\n")
    assert run(file, "renset18")[0] == 2
    assert run(file, "--num-classes", 3)[0] == 2
    assert run()[0] == 2


COMMAND = """
import sys
from cnnzoo.cli import main
try:
    main(sys.argv[1:])
finally:
    assert not {"torch", "numpy", "safetensors"} & set(sys.modules)
    if sys.platform == "linux":
        read = int(open("/proc/self/io").read().split()[1])
        assert read < 50_000_000, f"{read} bytes read"
"""


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "check-weights", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.wide(0)
def test_only_the_header_is_read_and_without_torch(tmp_path):
    file = sparse(tmp_path / "huge.safetensors", {"a": (10**11,)}, 1, "U8")
    assert Path(file).stat().st_size > 10**11
    done = command(file)
    assert (done.returncode, done.stderr) == (1, "")
    assert "fits no registered network" in done.stdout


def test_what_torch_saved_is_read_without_torch(tmp_path):
    import torch

    state = {name: torch.zeros(()).expand(shape) for name, shape in shapes("resnet152").items()}
    torch.save(state, tmp_path / "file.pth")
    done = command(tmp_path / "file.pth", "resnet152")
    assert (done.returncode, done.stderr) == (0, "")
    assert "fits resnet152 (932 tensors, float32)" in done.stdout


def test_a_pickle_that_would_run_code_runs_none(tmp_path):
    pickled = b"\x80\x02cos\nmkdir\nX" + len(str(tmp_path / "marker")).to_bytes(4, "little")
    (tmp_path / "file.pth").write_bytes(pickled + str(tmp_path / "marker").encode() + b"\x85R.")
    done = command(tmp_path / "file.pth")
    assert (done.returncode, done.stdout) == (2, "")
    assert "its pickle calls 'os.mkdir'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "marker").exists()
