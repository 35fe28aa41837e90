"""The command line: what it prints, what it refuses, and that it leaves nothing half done."""

import json
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

import click
import pytest
import torch
from command import call, command, environment, interruptible, spawn
from hypothesis import given
from hypothesis import strategies as st

import cnnzoo
from cnnzoo.cli import COMMANDS, SECTIONS, cli
from cnnzoo.render.document import FORMATS
from cnnzoo.report import ITEM_BYTES
from cnnzoo.report.columns import COLUMNS
from cnnzoo.zoo import list_models

LARGE = ("summary", "densenet264", "--format", "json")
"""Larger than any pipe's buffer."""

COMMAND = {name: cli.get_command(click.Context(cli), name) for name in COMMANDS}

each = pytest.mark.parametrize("name", list_models())


@pytest.mark.wide(3, 20)
@each
def test_summary_in_every_format(name):
    report = cnnzoo.summary(name)
    for format_ in FORMATS:
        assert call("summary", name, "--format", format_).succeeded() == report.document().text(format_)
    assert call("summary", name).succeeded() == f"{report}\n"


@pytest.mark.parametrize("format_", FORMATS)
def test_list_in_every_format(format_):
    out = call("list", "--format", format_).succeeded()
    assert all(name in out.replace("\\_", "_") for name in list_models())


@pytest.mark.parametrize("pattern", ["*", "res*", "vgg1?_bn", "[gl]*", *list_models("*_tv")])
def test_list_lists_what_matches(pattern):
    entries = json.loads(call("list", pattern, "--format", "json").succeeded())
    assert sorted(entry["model"] for entry in entries) == sorted(list_models(pattern)) != []
    for entry in entries:
        report = cnnzoo.summary(entry["model"])
        assert entry["params"] == report.total_params
        assert entry["macs"] == report.total_macs
        assert tuple(entry["input_size"]) == report.input_size


def test_options_reach_the_report():
    out = call(
        *("summary", "resnet18", "--input-size", "3x96x64", "--batch-size", "5", "--dtype", "bfloat16"),
        *("--num-classes", "7", "--format", "json"),
    ).succeeded()
    report = cnnzoo.summary("resnet18", (3, 96, 64), batch_size=5, dtype="bfloat16", num_classes=7)
    assert json.loads(out) == report.to_dict()


@pytest.mark.parametrize("said", ["224", "3x224x224", "1x3x224x224"])
def test_an_input_size_is_said_in_three_ways(said):
    assert call("summary", "vgg11", "--input-size", said).succeeded() == call("summary", "vgg11").succeeded()


def test_a_batch_in_the_input_size_is_the_batch_size():
    said = call("summary", "vgg11", "--input-size", "9x3x224x224").succeeded()
    assert said == call("summary", "vgg11", "--batch-size", "9").succeeded()
    assert said == call("summary", "vgg11", "--input-size", "9x3x224x224", "--batch-size", "9").succeeded()


def test_depth_and_all():
    lines = {
        options: len(call("summary", "resnet50", *options).succeeded().splitlines())
        for options in [("--depth", "1"), ("--depth", "2"), (), ("--all",), ("--all", "--depth", "1")]
    }
    assert lines["--depth", "1"] < lines["--depth", "2"] < lines[()] < lines[("--all",)]
    assert lines["--all", "--depth", "1"] == lines["--depth", "1"]


@pytest.mark.wide
@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_can_be_shown(column):
    for format_ in FORMATS:
        out = call("summary", "googlenet", "--columns", f"{column}, macs", "--format", format_).succeeded()
        assert out
    header = call("summary", "googlenet", "--columns", column, "--format", "csv").succeeded().partition("\n")[0]
    assert header == ("path" if column == "path" else f"path,{column}")


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help(arguments, columns, monkeypatch):
    """Each command is a line under the question that it answers, within 80 columns."""
    monkeypatch.setenv("COLUMNS", str(columns))
    out = call(*arguments).succeeded()
    assert out.startswith("Usage: cnnzoo")
    assert max(map(len, out.splitlines())) <= 80
    for question, names in SECTIONS.items():
        lines = out.partition(f"\n{question}:\n")[2].partition("\n\n")[0].splitlines()
        for name, line in zip(names, lines, strict=True):
            assert line.startswith(f"  {name} ")
            assert line.endswith(f"  {COMMAND[name].short_help}")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_every_command_are_calls_of_it(name):
    examples = re.findall(r"^ *cnnzoo (.+)", COMMAND[name].help, re.MULTILINE)
    assert examples
    for called, *words in map(shlex.split, examples):
        assert called == name
        COMMAND[name].make_context(name, words, parent=click.Context(cli, **cli.context_settings))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_names_every_option(name):
    out = call(name, "--help").succeeded()
    for option in COMMAND[name].params:
        assert option.opts[-1] in out or option.human_readable_name.upper() in out


def test_the_version():
    assert call("--version").succeeded() == f"cnnzoo, version {cnnzoo.__version__}\n"


# Bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("summary resnet51", ("'resnet51'", "did you mean", "resnet50")),
        ("summary VGG-16", ("'VGG-16'", "did you mean vgg16")),
        ("summary quux", ("'quux'", "`cnnzoo list` lists all")),
        ("summary ../vgg16", ("unknown model '../vgg16'",)),
        ("summary", ("Missing argument",)),
        ("summary vgg16 vgg19", ("vgg19",)),
        ("summary vgg16 --columns parms", ("'parms'", "did you mean params")),
        ("summary vgg16 --columns params,", ("unknown column ''",)),
        ("summary vgg16 --format xml", ("'xml'", *FORMATS)),
        ("summary vgg16 --dtype float31", ("'float31'", *ITEM_BYTES)),
        ("summary vgg16 --colums params", ("--colums", "--columns")),
        ("summary vgg16 --num-classes -1", ("--num-classes", "-1")),
        ("summary vgg16 --num-classes -5", ("--num-classes", "-5")),
        ("summary vgg16 --num-classes ten", ("--num-classes", "ten")),
        (f"summary vgg16 --num-classes 1{'0' * 400}", ("--num-classes",)),
        ("summary vgg16 --batch-size 0", ("--batch-size", "0")),
        ("summary vgg16 --batch-size 1.5", ("--batch-size", "1.5")),
        (f"summary vgg16 --batch-size 1{'0' * 5000}", ("--batch-size",)),
        ("summary vgg16 --depth 0", ("--depth", "0")),
        ("summary vgg16 --input-size 2x3x224x224 --batch-size 4", ("batch", "2", "4")),
        ("summary vgg16 --input-size 8", ("at features.", "nothing is left")),
        ("summary vgg16 --input-size", ("--input-size",)),
        ("sumary vgg16", ("'sumary'", "did you mean summary?")),
        ("list quux*", ("'quux*'",)),
        ("list --format yaml", ("'yaml'",)),
    ],
)
def test_bad_input_is_one_line(arguments, said):
    call(*arguments.split(" ")).refused(*said)


def test_in_a_process_of_its_own_bad_input_is_one_line_too():
    spawn("summary", "vgg16", "--input-size", "8").refused("at features.")


@pytest.mark.parametrize("name", list_models("vgg1*"))
def test_an_impossible_size_names_the_layer_at_which_nothing_is_left(name):
    line = call("summary", name, "--input-size", "8").refused("nothing is left of (512, 1, 1)")
    path = re.match(r"Error: at (\S+): MaxPool2d", line)[1]
    pools = [row.path for row in cnnzoo.summary(name).rows if row.kind == "MaxPool2d"]
    assert path == pools[3], "8 pixels halve three times"


@given(
    st.sampled_from(list_models()),
    st.lists(st.integers(1, 40) | st.integers(1, 10**9), min_size=3, max_size=4),
)
def test_a_size_is_reported_or_refused(name, lengths):
    result = call("summary", name, "--format", "csv", "--input-size", "x".join(map(str, lengths)))
    if result.code:
        result.refused()
    else:
        assert result.succeeded()


NUMERALS = ["0", "-1", "+3", "1_000", "٣", "²", "Ⅷ", "0x8", "1e3", "3.0", "inf", "9" * 5000, "1" + "0" * 400, ""]
MALFORMED = ["0x0x0", "x", "3x", "x3", "3xx3", "1x1x1x1x1", "3×224×224", "3X224X224", "3,224,224", " 224"]
MALFORMED += ["224 ", "224\n", "(3, 224, 224)", "3x224x224\n", "3x-1x5", "00", "3x0x5", *NUMERALS]


@pytest.mark.parametrize("size", MALFORMED)
def test_a_malformed_size_is_refused(size):
    call("summary", "lenet5", "--input-size", size).refused("--input-size", "no input size", "3x224x224")


@given(
    st.text(max_size=12)
    | st.lists(st.sampled_from(NUMERALS) | st.integers(0, 300).map(str), max_size=5).map("x".join)
    | st.text("0123456789x", max_size=12)
)
def test_any_text_is_a_size_or_is_refused(size):
    result = call("summary", "lenet5", f"--input-size={size}", "--format", "json")
    lengths = size.split("x") if re.fullmatch("[0-9]{1,9}(x[0-9]{1,9}){1,3}|[0-9]{1,9}", size) else ["0"]
    sound = all(int(length) for length in lengths)
    if result.code == 0:
        assert sound
        said = list(map(int, lengths))
        found = json.loads(result.succeeded())
        assert found["input_size"] == ([1, *2 * said] if len(said) == 1 else said[-3:])
        assert found["batch_size"] == (said[0] if len(said) == 4 else 1)
    else:
        result.refused("at " if sound else "no input size")


# -o


def test_a_network_in_a_command_s_place_is_said_with_its_command() -> None:
    call("vgg16").refused("no command 'vgg16'; say `cnnzoo summary vgg16`")
    call("vgg16+merge_stacks").refused("say `cnnzoo summary vgg16+merge_stacks`")


def test_a_pattern_of_no_network_is_said_with_what_may_have_been_meant() -> None:
    call("list", "resnte50").refused("no model matches 'resnte50'", "did you mean resnet50")
    call("check", "qq*").refused("no model matches 'qq*'", "`cnnzoo list` lists all")


@pytest.mark.parametrize(
    ("ending", "format_"),
    [
        (".json", "json"),
        (".csv", "csv"),
        (".md", "markdown"),
        (".markdown", "markdown"),
        (".txt", "text"),
        (".JSON", "json"),
        ("", "table"),
    ],
)
@pytest.mark.parametrize("arguments", [("summary", "googlenet"), ("list", "vgg*")])
def test_a_file_s_format_is_its_ending_s(tmp_path, arguments, ending, format_):
    file = tmp_path / f"report{ending}"
    assert call(*arguments, "-o", str(file)).succeeded() == ""
    assert file.read_bytes().decode() == call(*arguments, "--format", format_).succeeded()
    assert os.listdir(tmp_path) == [file.name]


@pytest.mark.parametrize("format_", FORMATS)
def test_the_format_option_wins_over_the_ending(tmp_path, format_):
    file = tmp_path / "report.csv"
    call("summary", "lenet5", "-o", str(file), "--format", format_).succeeded()
    assert file.read_bytes().decode() == call("summary", "lenet5", "--format", format_).succeeded()


def test_a_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "plain").touch()
    call("summary", "lenet5", "-o", str(tmp_path / "new")).succeeded()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "plain").chmod(0o600)
    call("summary", "lenet5", "-o", str(tmp_path / "plain")).succeeded()
    assert (tmp_path / "plain").stat().st_mode & 0o777 == 0o600


def test_a_link_stays_one(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "file")
    call("summary", "lenet5", "-o", str(tmp_path / "link")).succeeded()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "file").read_text() == call("summary", "lenet5").succeeded()


@pytest.mark.parametrize("place", ["missing/report.json", "folder", "folder/", "file/report.json", "", "n" * 300])
@pytest.mark.parametrize("arguments", [("summary", "lenet5"), ("list",)])
def test_an_unwritable_file_is_one_line(tmp_path, monkeypatch, arguments, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("as it was")
    call(*arguments, "-o", place).refused()
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    assert os.listdir(tmp_path / "folder") == []
    assert (tmp_path / "file").read_text() == "as it was"


@pytest.mark.parametrize("arguments", ["summary vgg16 --input-size 8", "summary vgg61", "summary vgg16 --columns x"])
def test_bad_input_leaves_the_file_as_it_was(tmp_path, arguments):
    file = tmp_path / "report.json"
    file.write_text("as it was")
    call(*arguments.split(), "-o", str(file)).refused()
    assert file.read_text() == "as it was"
    assert os.listdir(tmp_path) == [file.name]


LIMITED = ["bash", "-c", 'ulimit -f 8; export PYTHONDONTWRITEBYTECODE=1; exec "$@"', "limited"]
"""Files have at most 8 KiB: Python would cut its compiled modules short, too, and every later process would fail."""


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path):
    """A limit on the size of files does to a process what a full disk does."""
    file = tmp_path / "report.json"
    file.write_text("as it was")
    limited = [*LIMITED, *command(*LARGE, "-o", str(file))]
    done = subprocess.run(limited, capture_output=True, text=True, env=environment(), check=False, timeout=300)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"Error: cannot write '.*report\.json': File too large\n", done.stderr)
    assert file.read_text() == "as it was"
    assert os.listdir(tmp_path) == [file.name]


def test_an_interrupt_leaves_no_file(tmp_path, monkeypatch):
    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    result = call("summary", "lenet5", "-o", str(tmp_path / "report.json"))
    assert (result.code, result.out, result.err.strip()) == (130, "", "Error: interrupted")
    assert os.listdir(tmp_path) == []


def test_a_device_is_written_as_it_is():
    assert spawn("summary", "lenet5", "-o", "/dev/stdout").succeeded() == call("summary", "lenet5").succeeded()
    call("summary", "lenet5", "-o", "/dev/full").refused("/dev/full", "No space left")


@pytest.mark.parametrize("ending", [".xlsx", ".out", ".yaml", ".parquet", ".csv.gz", ".svg", f".{'x' * 100}"])
@pytest.mark.parametrize("arguments", [("summary", "lenet5"), ("list", "vgg*"), ("compare", "lenet5")])
def test_an_ending_of_another_format_is_refused(tmp_path, arguments, ending):
    """Unless the format is said."""
    file = tmp_path / f"table{ending}"
    if arguments[0] not in ("compare", "list") or ending != ".svg":
        call(*arguments, "-o", str(file)).refused("a table cannot be written as .", ".json, .csv", "--format")
        assert os.listdir(tmp_path) == []
    if ending == ".svg":  # a picture's, whatever the format
        return
    assert call(*arguments, "-o", str(file), "--format", "csv").succeeded() == ""
    assert file.read_text() == call(*arguments, "--format", "csv").succeeded()


OUTPUT = {name: one for name, one in COMMAND.items() if any("--output" in param.opts for param in one.params)}
OF_WEIGHTS = {"evaluate"}
"""What reads weights before it writes; it writes as the others do."""
PHOTOGRAPH = Path(__file__).parents[1] / "docs" / "pictures" / "filters.png"
NAMED: dict[str, list[str]] = {
    "list": [],
    "rewrites": [],
    "filters": [str(PHOTOGRAPH)],
    "look": ["weights", "resnet18"],
    "heatmap": ["lenet5_modern", "../weights.pth", str(PHOTOGRAPH), "--size", "30"],
}
GIVEN = {
    "match": ("--params", "5M", "--width", "16"),
    "sweep": ("--width", "16"),
    "explain": ("conv1",),
    "diff": ("vgg11",),
    "look": ("--layer", "conv1"),
    "train": ("--data", "digits", "--pictures", "20", "--epochs", "1"),
    "evaluate": ("x.safetensors", "--data", "digits"),
}


@pytest.mark.parametrize("name", OUTPUT)
def test_no_command_writes_to_what_has_no_name(name):
    """Nor to a link that leads to itself, which stays as it is."""
    call(name, *NAMED.get(name, ["resnet18"]), *GIVEN.get(name, ()), "-o", "").refused("no name of a file")


@pytest.mark.wide
@pytest.mark.parametrize("name", sorted(OUTPUT.keys() - OF_WEIGHTS))
@pytest.mark.parametrize("place", ["loop", "one", "loop/file"])
def test_a_link_that_leads_to_itself_stays_one(tmp_path, monkeypatch, name, place):
    torch.save(cnnzoo.create_model("lenet5_modern").state_dict(), tmp_path / "weights.pth")
    tmp_path = tmp_path / "links"
    tmp_path.mkdir()
    monkeypatch.chdir(tmp_path)
    for link, target in {"loop": "loop", "one": "other", "other": "one"}.items():
        (tmp_path / link).symlink_to(target)
    form = {"draw": "dot", "sweep": "csv"}.get(name, "text")
    said = () if name == "show" else ("--format", form)
    arguments = (*NAMED.get(name, ["resnet18"]), *GIVEN.get(name, ()), *said)
    call(name, *arguments, "-o", place).refused("cannot write", "symbolic links")
    assert all((tmp_path / link).is_symlink() for link in ("loop", "one", "other"))
    assert len(os.listdir(tmp_path)) == 3


# stdout


@pytest.fixture(params=[{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def unbuffered(request):
    """Python loses the end of a long write that stops half way, where stdout is unbuffered."""
    return request.param


@pytest.mark.parametrize("arguments", [LARGE, ("summary", "lenet5"), ("list",)])
def test_a_full_device_is_one_line(arguments):
    with open("/dev/full", "wb") as full:
        spawn(*arguments, stdout=full).refused("No space left")


def test_a_disk_that_fills_up_is_one_line(tmp_path, unbuffered):
    limited = [*LIMITED, *command(*LARGE)]
    with open(tmp_path / "report.json", "wb") as file:
        done = subprocess.run(
            limited,
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**unbuffered),
            check=False,
            timeout=300,
        )
    assert (done.returncode, done.stderr) == (2, "Error: the output could not be written: File too large\n")


@pytest.mark.parametrize("read", [0, 1])
def test_a_broken_pipe_is_one_line(read, unbuffered):
    process = subprocess.Popen(
        command(*LARGE), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**unbuffered), bufsize=0
    )
    assert len(process.stdout.read(read)) == read
    process.stdout.close()
    err = process.stderr.read().decode()
    assert process.wait(300) == 2
    assert re.fullmatch(r"Error: .*before all of it was written\n", err)


@pytest.mark.parametrize("arguments", [("summary", "lenet5"), ("check", "lenet5", "--sizes", "1")])
def test_no_stdout_at_all(arguments):
    closed = ["bash", "-c", 'exec "$@" >&-', "closed", *command(*arguments)]
    done = subprocess.run(closed, stderr=subprocess.PIPE, text=True, env=environment(), check=False, timeout=300)
    assert done.returncode == 2
    assert done.stderr == "Error: the output could not be written: standard output is closed\n"


def test_an_error_has_no_escape_codes(tmp_path):
    (tmp_path / "net.py").write_text("raise ValueError('a\\x1b[31mb')")
    assert "ValueError: a[31mb" in call("summary", f"{tmp_path / 'net.py'}:net").refused()


def test_control_c():
    """It ends at once, even while nobody reads what it writes."""
    process = subprocess.Popen(
        command(*LARGE),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        bufsize=0,
        preexec_fn=interruptible,
    )
    assert process.stdout.read(1) == b"{"
    process.send_signal(signal.SIGINT)
    assert process.wait(300) == 130
    assert process.stderr.read().decode().strip() == "Error: interrupted"
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_where_stdout_has_no_lines_they_are_ascii(encoding):
    plain = call("summary", "resnet18", "--format", "text").succeeded()
    assert spawn("summary", "resnet18", PYTHONIOENCODING=encoding).succeeded() == plain


def test_what_stdout_cannot_encode_is_one_line():
    spawn("summary", "lenet5", "--format", "table", PYTHONIOENCODING="cp1252").refused("cp1252", "--format text")
