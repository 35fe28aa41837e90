"""Every combination once, in its order, whatever happens while they are written."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
import zlib
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from command import call, command, environment, interruptible, spawn
from pyarrow import parquet

import cnnzoo
from cnnzoo.features import sweep
from cnnzoo.features.sweep import FIGURES, Sweep
from cnnzoo.features.sweep.family import Family
from cnnzoo.features.sweep.files import SweepFileError, fill
from cnnzoo.features.sweep.parquet import _read_line
from cnnzoo.features.sweep.workers import CHUNK, WorkerError, lines
from cnnzoo.registry import Paper, Pinned, register
from cnnzoo.words import Range

SMALL = ("resnet18", "--width", "8,16", "--depth", "1,2x1x1x1", "--input-size", "1,64,3x32x96")
"""Twelve combinations."""

LARGE = ("resnet18", "--width", "1:40", "--depth", "1:3x1:2x1:2x1", "--input-size", "32:160:32")
"""2,400 of them."""


def silent(done: int) -> None:
    """What hears how far it got."""


def small() -> Sweep:
    return Sweep(
        Family("resnet18"), {"width": (8, 16), "depth": (1, (2, 1, 1, 1))}, ((3, 1, 1), (3, 64, 64), (3, 32, 96))
    )


def written(sweep: Sweep, path: Path, format: Any = "csv", jobs: int = 1) -> bytes:
    fill(str(path), sweep, format, jobs, silent)
    return path.read_bytes()


# The records


def test_every_combination_once_in_order_with_the_reports_figures():
    out = call("sweep", *SMALL, "--format", "jsonl").succeeded()
    records = [json.loads(line) for line in out.splitlines()]
    sizes = [[3, 1, 1], [3, 64, 64], [3, 32, 96]]
    expected = list(product((8, 16), (1, [2, 1, 1, 1]), sizes))
    assert [(record["width"], record["depth"], record["input_size"]) for record in records] == expected
    for record in records:
        depth = record["depth"] if isinstance(record["depth"], int) else tuple(record["depth"])
        totals = cnnzoo.summary("resnet18", record["input_size"], width=record["width"], depth=depth).totals
        assert record["model"] == "resnet18"
        assert record["error"] is None
        assert record["weighted_layers"] == totals["depth"]
        for figure in FIGURES:
            assert figure == "weighted_layers" or record[figure] == totals[figure], figure


def test_csv_is_json_lines_in_cells():
    rows = list(csv.DictReader(call("sweep", *SMALL).succeeded().splitlines()))
    records = map(json.loads, call("sweep", *SMALL, "--format", "jsonl").succeeded().splitlines())
    for row, record in zip(rows, records, strict=True):
        cells = {
            name: "x".join(map(str, value)) if isinstance(value, list) else value for name, value in record.items()
        }
        assert row == {name: "" if value is None else str(value) for name, value in cells.items()}


def test_a_combination_that_cannot_be_is_a_record_too():
    result = call("sweep", "vgg16", "--width", "8,0", "--depth", "1,2x2", "--input-size", "16,64")
    assert result.code == 0
    assert result.err == "7 of them cannot be: their `error` says why\n"
    rows = list(csv.DictReader(result.out.splitlines()))
    assert len(rows) == 8
    assert [row["error"] == "" for row in rows] == [row == rows[1] for row in rows]
    assert rows[1]["params"] == str(cnnzoo.summary("vgg16", width=8, depth=1).total_params)
    for row in rows[:1] + rows[2:]:
        assert {row[figure] for figure in FIGURES} == {""}
    assert "at features.14: MaxPool2d: nothing is left of (64, 1, 1)" in rows[0]["error"]
    assert "depth must be 5 whole numbers of at least 1, one a stage, got (2, 2)" in rows[2]["error"]
    assert "got 0" in rows[5]["error"]


def test_where_none_can_be_it_fails():
    result = call("sweep", "resnet50", "--width", "0.5,0.25")
    assert result.code == 1
    assert result.err.splitlines()[-1].startswith("Error: none of them can be: resnet50() takes width as a whole")
    assert len(result.out.splitlines()) == 3


def test_what_is_not_given_is_as_it_is():
    own, other = csv.DictReader(call("sweep", "googlenet", "--num-classes", "1000,10").succeeded().splitlines())
    totals = cnnzoo.summary("googlenet").totals
    assert (int(own["params"]), int(own["aux_params"])) == (totals["params"], totals["aux_params"])
    assert int(other["params"]) == cnnzoo.summary("googlenet", num_classes=10).total_params
    assert own["input_size"] == "3x224x224"


def test_factors_of_a_network_without_knobs_and_rewrites():
    target = "alexnet+ungroup"
    out = call("sweep", "alexnet", "--rewrite", "ungroup", "--width", "0.5:1:0.25").succeeded()
    rows = list(csv.DictReader(out.splitlines()))
    assert out == call("sweep", target, "--width", "0.5,0.75,1.0").succeeded()
    assert [row["model"] for row in rows] == [target] * 3
    assert [row["width"] for row in rows] == ["0.5", "0.75", "1.0"]
    assert int(rows[0]["params"]) == cnnzoo.summary(f"{target}+scale_width=0.5").total_params
    assert int(rows[2]["params"]) == 62_378_344


@pytest.fixture
def plugin(monkeypatch):
    """A network of someone else that fails as nobody thought of, and has keywords like no other."""
    from cnnzoo.arch import Conv2d, Sequential

    monkeypatch.setattr(cnnzoo.registry, "BUILDERS", dict(cnnzoo.registry.BUILDERS))

    def odd(taps: int = 3, mood: Any = "good", params: int = 1) -> Sequential:
        if mood == "bad":
            raise KeyError("a mood,\nbad")
        return Sequential(Conv2d(params, taps))

    register(paper=Paper("Title", "Nobody", 2000), pinned=Pinned(1, 1, 1), input_size=(1, 4, 4))(odd)


def test_what_a_plugin_does_is_no_reason_to_lose_a_record(plugin, tmp_path):
    result = call("sweep", "odd", "--knob", "mood=good,bad", "--knob", "taps=1,5")
    rows = list(csv.DictReader(result.out.splitlines()))
    assert [row["error"].partition(":")[0] for row in rows] == ["", "at 0", "odd fails", "odd fails"]
    call("sweep", "odd", "--knob", "params=1,2").refused("'params' cannot be varied in a sweep")
    moods = ('a, "b"', "a\nb", None, 2.5, True, (1, 2))
    sweep = Sweep(Family("odd"), {"mood": moods}, ((1, 4, 4),))
    text = written(sweep, tmp_path / "out.csv").decode()
    assert [row["mood"] for row in csv.DictReader(StringIO(text))] == ['a, "b"', "a b", "", "2.5", "True", "1x2"]
    assert written(sweep, tmp_path / "out.csv").decode() == text


# Written on several cores, and in one go or in many


@pytest.mark.wide(1)
@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("jobs", [2, 3, 7])
def test_any_number_of_jobs_writes_the_same(format, jobs, tmp_path):
    sweep = Sweep(Family("lenet5_modern"), {"num_classes": tuple(range(1, 5 * CHUNK))}, ((1, 28, 28),))
    assert written(sweep, tmp_path / "one", format, 1) == written(sweep, tmp_path / "several", format, jobs)


@pytest.mark.parametrize("way", ["spawn", "forkserver"])
def test_where_processes_are_made_in_another_way(way, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"import multiprocessing\nfrom cnnzoo.cli import main\nif __name__ == '__main__':\n"
        f"    multiprocessing.set_start_method({way!r})\n"
        f"    main(['sweep', 'lenet5_modern', '--num-classes', '1:200', '--jobs', '2'])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == call("sweep", "lenet5_modern", "--num-classes", "1:200", "--jobs", "1").succeeded()
    assert done.stderr == ""


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_cut_off_after_any_byte_it_goes_on(format, wide, tmp_path):
    sweep = small()
    path = tmp_path / "out"
    whole = written(sweep, path, format)
    assert whole.count(b"\n") == sweep.count + (format == "csv")
    for length in range(0, len(whole), 1 if wide else 17):
        path.write_bytes(whole[:length])
        assert written(sweep, path, format) == whole


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_file_with_anything_else_in_it_is_left_alone(format, tmp_path):
    """One byte changed anywhere but in a figure of a line in the middle, or something behind the end."""
    sweep = small()
    path = tmp_path / "out"
    whole = written(sweep, path, format)
    head, *body = whole.splitlines(keepends=True)
    others = [whole + b"x", whole + body[-1], b"".join(body), whole.replace(b"resnet18", b"resnet34"), b"\0" * 9, b"\n"]
    others += [head + b"".join(reversed(body)), whole[:-2] + b"7\n", whole.replace(b"\n", b"\r\n")]
    for other in others:
        path.write_bytes(other)
        with pytest.raises(SweepFileError, match=r"out is of another sweep: its line \d+ is '.*', and this one"):
            fill(str(path), sweep, format, 1, silent)
        assert path.read_bytes() == other


def test_another_sweep_is_refused_in_one_line(tmp_path):
    file = str(tmp_path / "out.csv")
    assert call("sweep", *SMALL, "-o", file).code == 0
    before = Path(file).read_bytes()
    for other in (
        ("resnet34", *SMALL[1:]),
        (*SMALL[:2], "8,24", *SMALL[3:]),
        (*SMALL[:2], "8", *SMALL[3:]),
        (*SMALL, "--num-classes", "10"),
        SMALL[:-2],
        (*SMALL, "--rewrite", "drop_shortcuts"),
    ):
        call("sweep", *other, "-o", file).refused("is of another sweep", "give another file, or remove that one")
        assert Path(file).read_bytes() == before
    again = call("sweep", *SMALL, "-o", file)
    assert (again.code, again.err, again.out) == (0, f"12 combinations in {file}\n", "")
    assert Path(file).read_bytes() == before


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("sweep", *arguments), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment(), **options
    )


def grown(path: Path, size: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a file has so many bytes, or the process has ended."""
    while process.poll() is None and (not path.exists() or path.stat().st_size < size):
        time.sleep(0.001)


@pytest.mark.wide(0, 3)
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_at_random_moments_it_comes_to_the_same(ending, jobs, tmp_path):
    """Each attempt is killed when its file has grown to a random size, without a chance to say anything."""
    file = tmp_path / f"killed.{ending}"
    whole = tmp_path / f"whole.{ending}"
    assert call("sweep", *LARGE, "-o", str(whole)).code == 0
    filled = file if ending != "parquet" else tmp_path / "killed.parquet.part"
    draw = random.Random(f"{ending} {jobs}")
    for size in sorted(draw.randrange(1, 300_000) for _ in range(3)):
        process = start(*LARGE, "-o", str(file), "--jobs", jobs)
        grown(filled, size, process)
        process.kill()
        process.wait()
    result = spawn("sweep", *LARGE, "-o", str(file))
    assert (result.code, result.err) == (0, f"2,400 combinations in {file}\n")
    assert file.read_bytes() == whole.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted([file, whole])


def test_interrupted_it_says_how_far_it_got(tmp_path):
    """Ctrl-C goes to every process of the group; one line comes of it, and no process is left."""
    file = tmp_path / "out.csv"
    long = (*LARGE[:2], "1:400", *LARGE[3:])
    process = start(*long, "-o", str(file), "--jobs", "2", start_new_session=True, preexec_fn=interruptible)
    grown(file, 20_000, process)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130
    done, total = (int(word.replace(",", "")) for word in said.decode().split() if word[0].isdigit())
    assert said.decode() == (
        f"Error: interrupted after {done:,} of 24,000 combinations; the same command goes on from there\n"
    )
    assert 0 < done < total == 24_000
    assert file.read_bytes().count(b"\n") >= done + 1
    assert gone(process.pid)


def gone(group: int) -> bool:
    """Whether the processes of a group end within a minute, which is a second or less where nothing else runs."""
    for _ in range(6000):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_no_process_stays_when_the_one_that_writes_is_killed(tmp_path):
    file = tmp_path / "out.csv"
    process = start(*LARGE[:2], "1:400", *LARGE[3:], "-o", str(file), "--jobs", "3", start_new_session=True)
    grown(file, 10_000, process)
    process.kill()
    process.communicate()
    assert gone(process.pid)


def test_a_worker_that_is_killed_is_an_error_and_nothing_is_lost(tmp_path, monkeypatch):
    """As by a machine that is out of memory."""
    sweep = Sweep(Family("lenet5_modern"), {"num_classes": tuple(range(1, 9 * CHUNK))}, ((1, 28, 28),))
    whole = written(sweep, tmp_path / "whole")
    record = Sweep.record
    with monkeypatch.context() as patch:
        patch.setattr(Sweep, "record", lambda self, n: os._exit(9) if n == 5 * CHUNK + 7 else record(self, n))
        with pytest.raises(WorkerError, match=f"the process that made record {5 * CHUNK} ended before it had"):
            fill(str(tmp_path / "out"), sweep, "csv", 2, silent)
    assert (tmp_path / "out").read_bytes().count(b"\n") == 5 * CHUNK + 1
    assert written(sweep, tmp_path / "out") == whole


def test_one_file_is_written_by_one_process(tmp_path):
    file = tmp_path / "out.csv"
    long = (*LARGE[:2], "1:400", *LARGE[3:], "-o", str(file), "--jobs", "1")
    first = start(*long)
    grown(file, 1, first)
    spawn("sweep", *long).refused(f"another process is writing {file}")
    first.kill()
    first.communicate()


def test_who_reads_no_more_ends_it():
    with subprocess.Popen(
        command("sweep", *LARGE[:2], "1:400", *LARGE[3:], "--jobs", "2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"model,width,depth,input_size,params,")
        process.stdout.close()
        assert process.wait(300) in (1, 2)
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    assert gone(process.pid)


def test_lines_that_nobody_waits_for_leave_no_process():
    sweep = Sweep(Family("lenet5_modern"), {"num_classes": tuple(range(1, 9 * CHUNK))}, ((1, 28, 28),))
    chunks = lines(sweep, 0, "csv", 2)
    next(chunks)
    chunks.close()
    import multiprocessing

    assert not multiprocessing.active_children()


# Parquet


@pytest.mark.parametrize(
    ("field", "cell", "value", "sides"),
    [
        (Range(1, 2), "1-2", {"least": 1, "most": 2}, [2, 2]),
        ((Range(1, 2), 3), "1-2x3", [{"least": 1, "most": 2}, 3], [2, 3]),
        ((1, 3), "1x3", [1, 3], [1, 3]),
        (None, "", None, None),
    ],
)
def test_a_receptive_field_may_be_a_range(field, cell, value, sides):
    record = {"model": "a", "receptive_field": field}
    assert sweep.line(record, "csv") == f"a,{cell}\n"
    written = sweep.line(record, "jsonl")
    assert json.loads(written) == {"model": "a", "receptive_field": value}
    assert _read_line(written)["receptive_field"] == sides


def test_parquet_has_the_records(tmp_path):
    arguments = (
        "sweep",
        "googlenet",
        "--width",
        "0.5,1",
        "--knob",
        "aux_logits=True,False",
        "--input-size",
        "8,3x96x64",
    )
    file = tmp_path / "out.parquet"
    assert call(*arguments, "-o", str(file)).code == 0
    records = [json.loads(line) for line in call(*arguments, "--format", "jsonl").out.splitlines()]
    for record in records:
        record["receptive_field"] = record["receptive_field"] and [record["receptive_field"]] * 2
    table = parquet.read_table(file)
    assert table.to_pylist() == records
    types = {
        name: str(table.schema.field(name).type) for name in ("width", "aux_logits", "params", "input_size", "error")
    }
    assert types == {
        "width": "double",
        "aux_logits": "bool",
        "params": "int64",
        "input_size": "list<element: int64>",
        "error": "string",
    }
    before = file.read_bytes()
    assert "8 combinations" in call(*arguments, "-o", str(file)).err
    call("sweep", "googlenet", "--width", "0.5", "-o", str(file)).refused("is of another sweep")
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_no_parquet_is_left_alone(tmp_path):
    file = tmp_path / "out.parquet"
    file.write_text("something else")
    call("sweep", *SMALL[:3], "-o", str(file)).refused("is no Parquet file")
    assert file.read_text() == "something else"


def test_a_killed_conversion_is_made_again(tmp_path):
    """All records are there, and a file that was begun, or one that was not yet cleaned up after."""
    arguments = ("sweep", *SMALL[:3])
    whole, file = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    assert call(*arguments, "-o", str(whole)).code == 0
    for state in ("begun", "ended"):
        part = tmp_path / "out.parquet.part"
        part.write_text(call(*arguments, "--format", "jsonl").out)
        if state == "begun":
            (tmp_path / ".out.parquet.part").write_bytes(whole.read_bytes()[:100])
        assert call(*arguments, "-o", str(file)).code == 0
        assert file.read_bytes() == whole.read_bytes()
        assert sorted(tmp_path.iterdir()) == [file, whole]


def test_values_that_no_column_takes(tmp_path):
    call("sweep", *SMALL, "-o", str(tmp_path / "out.parquet")).refused("the values of depth are of several kinds")
    assert not list(tmp_path.iterdir())


def test_figures_that_no_column_takes(tmp_path):
    arguments = ("sweep", "resnet50", "--width", "120000000")
    call(*arguments, "-o", str(tmp_path / "out.parquet")).refused("too large for a column of Parquet")
    assert os.listdir(tmp_path) == ["out.parquet.part"]
    assert int(next(csv.DictReader(call(*arguments).succeeded().splitlines()))["params"]) > 2**63


def test_without_pyarrow_parquet_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("cnnzoo.extras.find_spec", lambda name: None)
    call("sweep", *SMALL[:3], "-o", str(tmp_path / "out.parquet")).refused("pip install 'cnnzoo[parquet]'")
    assert call("sweep", *SMALL[:3], "-o", str(tmp_path / "out.csv")).code == 0


# The command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resnet50"], ["give something to vary: --width 32,48,64"]),
        (["nonet", "--width", "1"], ["unknown model 'nonet'"]),
        (["resnet50+nothing", "--width", "1"], ["unknown rewrite 'nothing'"]),
        (
            ["resnet50", "--growth", "1"],
            ["resnet50 has no 'growth' to vary; it has width, depth, num_classes, shortcut"],
        ),
        (["resnet50", "--width", "8:2"], ["'8:2' is no range; say first:last:step as in 16:128:8"]),
        (["resnet50", "--width", "1:9999", "--input-size", "1:9999"], ["99,980,001 combinations; at most 10,000,000"]),
        (["resnet50", "--input-size", "0"], ["'0' is no input size"]),
        (["resnet50", "--input-size", "large"], ["'large' is no input size"]),
        (
            ["resnet50", "--width", "8", "-o", "out.txt"],
            ["does not end in .csv, .jsonl, .ndjson, .parquet: say --format"],
        ),
        (["resnet50", "--width", "8", "--format", "parquet"], ["Parquet goes to a file"]),
        (["resnet50", "--width", "8", "-o", "no/such/place/out.csv"], ["no/such/place/out.csv", "No such file"]),
        (["resnet50", "--width", "8", "-o", "no/such/place/out.parquet"], ["No such file"]),
        (["resnet50", "--width", "8", "--jobs", "0"], ["'--jobs'"]),
    ],
)
def test_bad_input_is_one_line(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call("sweep", *arguments).refused(*said)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("way", ["closed", "full"])
def test_where_nothing_can_be_written(way):
    where = ">&-" if way == "closed" else "> /dev/full"
    done = subprocess.run(
        ["sh", "-c", f'"$@" {where}', "sh", *command("sweep", *SMALL)],
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"Error: the output could not be written: ")
    assert done.stderr.count(b"\n") == 1


def test_a_file_that_keeps_nothing():
    assert call("sweep", *SMALL, "-o", os.devnull) == (0, "", f"12 combinations in {os.devnull}\n")


def test_formats_by_ending_and_by_name(tmp_path):
    text = call("sweep", *SMALL, "--format", "jsonl").out
    for name, more in (
        ("a.jsonl", []),
        ("a.NDJSON", []),
        ("a.data", ["--format", "jsonl"]),
        ("a.csv", ["--format", "jsonl"]),
    ):
        assert call("sweep", *SMALL, "-o", str(tmp_path / name), *more).code == 0
        assert (tmp_path / name).read_text() == text


# Damage


FEW = Sweep(Family("lenet5_modern"), {"num_classes": tuple(range(1, 5 * CHUNK))}, ((1, 28, 28),))


def interrupted(path, format):
    """A file that holds some of the records, as Ctrl-C leaves it; how many of its bytes are vouched for."""

    def stop(done):
        if done >= 3 * CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(str(path), FEW, format, 1, stop)
    return int(path.with_name(f"{path.name}.sum").read_text().split()[0])


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("vouched", [True, False, "in part"])
def test_a_flipped_bit_is_found(tmp_path, format, vouched):
    """Wherever it is: in what is vouched for, and in what is not."""
    path, whole = tmp_path / f"out.{format}", tmp_path / "whole"
    fill(str(whole), FEW, format, 1, lambda done: None)
    end = interrupted(path, format)
    assert end == path.stat().st_size
    sums = tmp_path / f"{path.name}.sum"
    if vouched is False:
        sums.unlink()
    elif vouched == "in part":
        lines = whole.read_bytes().splitlines(keepends=True)[:80]
        part = b"".join(lines)
        sums.write_text(f"{len(part)} {zlib.crc32(part)}\n")
    sound, summed = path.read_bytes(), sums.read_bytes() if vouched else None
    draw = random.Random(f"{format} {vouched}")
    for place in sorted(draw.sample([place for place in range(end) if sound[place : place + 1].isdigit()], 12)):
        damaged = bytearray(sound)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        if summed:
            sums.write_bytes(summed)
        with pytest.raises(SweepFileError, match=r"is damaged|is of another sweep"):
            fill(str(path), FEW, format, 1, lambda done: None)
        assert path.read_bytes() == damaged
    path.write_bytes(sound)
    if summed:
        sums.write_bytes(summed)
    assert fill(str(path), FEW, format, 1, lambda done: None).records == FEW.count
    assert path.read_bytes() == whole.read_bytes()
    assert not sums.exists()


@pytest.mark.parametrize("said", ["", "x", "999999 1\n", "5 5\n", "12", "1 2 3\n"])
def test_what_vouches_for_nothing_is_not_believed(tmp_path, said):
    path = tmp_path / "out.csv"
    interrupted(path, "csv")
    (tmp_path / "out.csv.sum").write_text(said)
    assert fill(str(path), FEW, "csv", 1, lambda done: None).records == FEW.count
    assert path.read_bytes().count(b"\n") == FEW.count + 1


def test_a_damaged_finished_file_is_found(tmp_path):
    pytest.importorskip("pyarrow")
    from cnnzoo.features.sweep import parquet

    path = tmp_path / "out.parquet"
    parquet.fill(str(path), FEW, 1, lambda done: None)
    assert parquet.fill(str(path), FEW, 1, lambda done: None).records == FEW.count
    damaged = bytearray(path.read_bytes())
    damaged[200] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(SweepFileError, match="is damaged"):
        parquet.fill(str(path), FEW, 1, lambda done: None)
