"""Marks in Markdown: what they may say, that all around them stays, and that our own pages are what theirs say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from command import Result, call, on_terminal
from hypothesis import assume, given
from hypothesis import strategies as st
from pages import PICTURE

import cnnzoo
from cnnzoo import Paper, Pinned, registry
from cnnzoo.arch import Conv2d
from cnnzoo.cli import COMMANDS, READING, cli
from cnnzoo.cli.common import OutputFile
from cnnzoo.features.tables import Region, filled, regions
from cnnzoo.models import lenet5
from cnnzoo.published import REASONS
from cnnzoo.rewrites import list_rewrites
from cnnzoo.words import Range
from cnnzoo.zoo import get_builder, list_models

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = {path: path.read_text(encoding="utf-8") for path in FILES if "_build" not in path.parts}
FOUND = [(path, region) for path, text in PAGES.items() for region in regions(text)]
COMMAND = {name: cli.get_command(click.Context(cli), name) for name in COMMANDS}
FAMILIES = sorted(path.stem for path in (ROOT / "cnnzoo" / "published").glob("*.json"))

END = "<!-- /cnnzoo -->"


def marked(command: str, inside: str = "") -> str:
    return f"before\n\n<!-- cnnzoo {command} -->\n{inside}{END}\n\nafter\n"


def page(text: str | bytes, name: str = "page.md") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(command: str, inside: str = "") -> str:
    """What a mark has between it and the second one, once it is filled."""
    path = page(marked(command, inside))
    assert call("tables", "--write", "page.md").succeeded() == "page.md written\n"
    text = path.read_text(encoding="utf-8")
    call("tables", "--check", "page.md").succeeded()
    start, end = f"before\n\n<!-- cnnzoo {command} -->\n\n", f"\n\n{END}\n\nafter\n"
    assert text.startswith(start)
    assert text.endswith(end)
    return text[len(start) : -len(end)]


# Our own pages


def test_our_pages_are_what_their_marks_say(monkeypatch: pytest.MonkeyPatch, wide: bool) -> None:
    monkeypatch.chdir(ROOT)
    some = [] if wide else ["README.md", "docs/savings.md", "docs/families/vgg.md"]
    assert call("tables", "--check", *some) == (0, "", "")


def digits(text: str, region: Region) -> list[int]:
    """Where in a page the digits of a region are."""
    start = sum(map(len, text.splitlines(keepends=True)[: region.first]))
    return [start + digit.start() for digit in re.finditer(r"\d", region.inside)]


def some() -> list[tuple[Path, Region]]:
    """Three regions of each command, which have digits of their own: what is in a picture's is the author's."""
    of: dict[str, list[tuple[Path, Region]]] = defaultdict(list)
    for path, region in FOUND:
        if not region.picture and re.search(r"\d", region.inside):
            of[region.command.split()[0]].append((path, region))
    return [one for regions in of.values() for one in regions[:: -(-len(regions) // 3)]]


@pytest.mark.wide
@pytest.mark.parametrize(("path", "region"), some())
def test_one_digit_is_noticed(path: Path, region: Region, folder: Path) -> None:
    """Of those between a region's marks the first, the last and one in between are changed, one at a time."""
    text = PAGES[path]
    found = digits(text, region)
    lines = text.splitlines(keepends=True)
    own, start = "".join(lines[region.first - 1 : region.last]), sum(map(len, lines[: region.first - 1]))
    for place in {found[0], found[len(found) // 2], found[-1]}:
        edited = f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"[start : start + len(own)]
        file = page(edited)
        result = call("tables", "--check", "page.md")
        assert result.code == 1
        assert result.err.startswith("Error: page.md ")
        removed, added = ([line for line in result.out.splitlines()[2:] if line[0] == sign] for sign in "-+")
        assert [len(removed), len(added)] == [1, 1]
        assert sum(one != other for one, other in zip(removed[0], added[0], strict=True)) == 2, "the sign and the digit"
        assert file.read_bytes() == edited.encode(), "checking writes nothing"
    assert call("tables", "--write", "page.md").succeeded() == "page.md written\n"
    assert file.read_bytes() == own.encode()


def test_no_region_of_another_kind_is_left() -> None:
    for path, text in PAGES.items():
        comments = re.findall(
            r"^<!--.*$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
        )
        assert all(re.match(r"<!-- (/cnnzoo -->|cnnzoo )", comment) for comment in comments), path
        assert "Generated by" not in text


def test_every_command_has_its_help_in_the_reference() -> None:
    said = [region.command for region in regions(PAGES[ROOT / "docs" / "commands.md"])]
    assert said == [f"{name} --help" for name in COMMANDS]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_page_with_its_networks_and_the_papers_figures(family: str) -> None:
    said = [region.command for region in regions(PAGES[ROOT / "docs" / "families" / f"{family}.md"])]
    for begin in (
        f"list --module {family} ",
        f"list --module {family} --columns about",
        f"verify --module {family}",
    ):
        assert any(command.startswith(begin) for command in said)
    assert any(command.startswith("summary ") for command in said)
    assert f"(families/{family}.md)" in PAGES[ROOT / "docs" / "models.md"]


def test_every_reason_for_a_difference_has_its_table() -> None:
    text = PAGES[ROOT / "docs" / "disagreements.md"]
    for reason in set(REASONS) - {"none"}:
        words = REASONS[reason]
        assert f"## {words[0].upper()}{words[1:]}\n" in text
        assert f"\n<!-- cnnzoo verify --reason {reason} -->\n" in text


def test_every_family_is_known_here() -> None:
    assert {get_builder(name).__module__ for name in list_models()} == {f"cnnzoo.models.{name}" for name in FAMILIES}


def test_every_picture_is_drawn_and_every_image_is_there() -> None:
    drawn = {(path.parent / region.picture).resolve() for path, region in FOUND if region.picture}
    images = re.compile(r"\]\((\S*pictures/\S+\.(?:svg|png|jpg))\)")
    by_pages = {
        (path.parent / shown).resolve()
        for path, text in PAGES.items()
        for shown, name in PICTURE.findall(text)
        if f" -o {name}\n" in text or f'("{name}"' in text
    }
    shown = {(path.parent / one).resolve() for path, text in PAGES.items() for one in images.findall(text)}
    there = {*(ROOT / "docs").glob("**/pictures/*")}
    assert drawn | by_pages == shown == there != set()


def test_variants_are_grouped_as_people_say() -> None:
    """Among them the ones that the conventions speak of."""
    groups = {
        tuple(names.split(", ")) for names in re.findall(r"^### (.*)$", PAGES[ROOT / "docs/variants.md"], re.MULTILINE)
    }
    assert {("alexnet", "alexnet_tv", "caffenet"), ("lenet5", "lenet5_modern"), ("googlenet", "googlenet_tv")} <= groups
    assert {("resnet50", "resnet50_v1"), ("resnet18", "plain18"), ("vgg16", "vgg16c", "vgg16_bn")} <= groups
    said = {region.command for _, region in FOUND}
    for first, *others in groups:
        assert {f"diff {first} {other}" for other in others} <= said


# What our tables say


def table(text: str) -> tuple[list[str], list[list[str]]]:
    """The first Markdown table: its header, and its rows."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines)
    return head, rows


def number(cell: str) -> int | tuple[int, ...] | Range | None:
    if found := re.fullmatch(r"(\d+)-(\d+)", cell):
        return Range(int(found[1]), int(found[2]))
    sides = tuple(int(side.replace(",", "")) for side in cell.split("x") if side != "-")
    return (sides if len(sides) > 1 else sides[0]) if sides else None


def inside(name: str, command: str) -> str:
    (found,) = (one.inside for path, one in FOUND if path.stem == name and one.command.startswith(command))
    return found


def test_the_table_of_networks_has_what_pins_them() -> None:
    """What is `Pinned` is typed where a network is registered, and tested against torch."""
    head, rows = table(inside("models", "list --module cnnzoo.models --columns"))
    assert head[:4] == ["Model", "Params", "MACs", "FLOPs"]
    found = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert sorted(found) == sorted(list_models())
    for name, row in found.items():
        builder = get_builder(name)
        pinned = builder.pinned
        assert [number(row[title]) for title in ("Params", "MACs", "FLOPs", "Receptive field", "Year")] == [
            *(pinned.params, pinned.macs, 2 * pinned.macs, pinned.receptive_field, builder.paper.year)
        ]
        assert row["Input"] == "x".join(map(str, builder.input_size))
        assert row["Paper"].replace("\\", "") == builder.paper.title


def test_the_rewrites_are_all_there() -> None:
    _, rows = table(inside("rewriting", "rewrites"))
    assert [row[0].removesuffix("=…") for row in rows] == list_rewrites()


def test_what_is_printed_stands_beside_what_is_true() -> None:
    """Cells of the papers, as one reads them there."""
    text = inside("googlenet", "verify")
    assert "| googlenet inception3a | weights | 159 Ki | 163,328 | truncates to it | Szegedy et al. (2014), T" in text
    assert "| googlenet inception3a | multiply-adds | 128 M | 128,049,152 | rounds to it |" in text
    assert "| lenet5 c3 | parameters | 1,516 | 1,516 | exact |" in inside("lenet", "verify")


def test_links_lead_somewhere() -> None:
    assert "[arXiv:1512.03385](https://arxiv.org/abs/1512.03385)" in inside("resnet", "summary")
    assert "[doi:10.1109/5.726791](https://doi.org/10.1109/5.726791)" in inside("lenet", "summary")
    assert "<https://papers.nips.cc/paper/4824>" in inside("models", "list --module cnnzoo.models --columns")


@pytest.fixture
def register() -> Iterator[None]:
    known = dict(registry.BUILDERS)
    yield
    registry.BUILDERS.clear()
    registry.BUILDERS.update(known)


def enrol(module: str) -> None:
    def newnet(num_classes: int = 10) -> Conv2d:
        """A network `of` a layer."""
        return Conv2d(num_classes, 3)

    newnet.__module__ = module
    paper = Paper("A New Network", "Doe", 2031, arxiv="3101.00001")
    cnnzoo.register(paper=paper, input_size=(3, 8, 8), pinned=Pinned(280, 9720, 3))(newnet)


@pytest.mark.usefixtures("register")
def test_a_new_network_is_missed_and_then_written() -> None:
    """One of a plugin is none of ours."""
    for name in ("models.md", "families/vgg.md"):
        text = PAGES[ROOT / "docs" / name]
        page(re.sub(rf"<!-- cnnzoo (?:draw|list \S+ \S+ --scatter) .*?{END}", "", text, flags=re.DOTALL), name)
    call("tables", "--check", ".").succeeded()
    enrol("somewhere.vgg_plugin")
    call("tables", "--check", ".").succeeded()
    registry.BUILDERS.pop("newnet")
    enrol("cnnzoo.models.vgg")
    result = call("tables", "--check", ".")
    assert result.code == 1
    assert re.search(r"^\+\| newnet \| 280 \| 9,720 \| 19,440 \|.* 2031 \|", result.out, re.MULTILINE)
    assert "+| newnet | A network of a layer. |\n" in result.out
    assert [line.split()[1] for line in result.err.splitlines()] == ["families/vgg.md", "models.md"]
    assert call("tables", "--write", ".").succeeded() == "families/vgg.md written\nmodels.md written\n"
    call("tables", "--check", ".").succeeded()


# What a mark may say

MARKS = {
    "summary": "summary lenet5",
    "list": "list 'vgg*' --columns params,macs",
    "explain": "explain lenet5 c1",
    "rewrites": "rewrites",
    "compare": 'compare lenet5 "vgg*" --sort -macs',
    "diff": "diff lenet5 lenet5_modern",
    "savings": "savings lenet5",
    "match": "match resnet18 --params 5M --width 16,32",
    "verify": "verify lenet5",
    "show": "show lenet5",
    "peers": "peers lenet5",
    "draw": "draw lenet5",
}


@pytest.mark.parametrize("name", READING)
def test_a_mark_has_what_its_command_prints(name: str, folder: Path) -> None:
    form = "mmd" if name == "draw" else "markdown"
    command = re.sub("[\"']", "", MARKS[name]).split()
    text = written(MARKS[name], "what was there\n")
    printed = call(*command, "--format", form).succeeded().strip()
    if name == "draw":
        assert text == f"```mermaid\n{printed}\n```"
    else:
        unlinked = re.sub(
            r"\[((?:arXiv|doi):\S*?)\]\(https:\S*?\)|<(https:\S*?)>", lambda link: link[1] or link[2], text
        )
        assert unlinked == printed
    assert [path.name for path in folder.iterdir()] == ["page.md"], "and the command writes nothing"


def test_a_mark_of_a_drawing_that_is_a_table_has_the_table(folder: Path) -> None:
    command = "draw faster_rcnn_zf --kind anchors"
    assert written(command, "what was there\n") == call(*command.split(), "--format", "markdown").succeeded().strip()


@pytest.mark.parametrize(
    ("form", "language"), [("text", "text"), ("table", "text"), ("json", "json"), ("csv", "csv"), ("latex", "latex")]
)
def test_another_format_is_a_code_block(form: str, language: str) -> None:
    text = written(f"list lenet5 --format {form}")
    assert text == f"```{language}\n{call('list', 'lenet5', '--format', form).succeeded().strip()}\n```"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_is_a_code_block(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = written(f"{name} --help")
    assert text.startswith(f"```text\nUsage: cnnzoo {name} ")
    assert text.endswith("\n```")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_that_writes_is_in_a_mark(name: str, folder: Path) -> None:
    """Of those that only read none has another parameter that is a file to write to than -o, and that is refused."""
    if name not in READING:
        for words in ("", " --write", " -o x.csv", " resnet18 --width 16", " -- --help", " --help x"):
            page(marked(f"{name}{words}"))
            call("tables", "--write", "page.md").refused(f"page.md:3: cnnzoo {name}", "a mark runs what only reads")
        return
    kinds = [param.type for param in COMMAND[name].params if isinstance(param.type, click.Path | click.File)]
    assert all(isinstance(kind, OutputFile) for kind in kinds)
    assert not {"write", "force", "delete"} & {param.name for param in COMMAND[name].params}
    for words in ("-o x.csv", "--output x.csv", "--output=x.csv", "-ox.csv", "-o page.md"):
        text = marked(f"{MARKS[name]} {words}")
        page(text)
        call("tables", "--write", "page.md").refused("page.md:3: ", "a mark takes no -o")
        page(marked(f"{MARKS[name]} {words}", "![a](x.svg)\n"))
        call("tables", "--write", "page.md").refused("page.md:3: ", "a mark takes no -o")
    assert [path.name for path in folder.iterdir()] == ["page.md"]


def test_a_file_that_a_mark_names_is_run_from_here(folder: Path) -> None:
    page("from cnnzoo.arch import Conv2d\nprint('said')\ndef net(): return Conv2d(8, 3)\n", "nets/net.py")
    path = page(marked("summary nets/net.py:net --input-size 3x8x8"), "docs/page.md")
    result = call("tables", "--write", "docs")
    assert (result.code, result.out, result.err) == (0, "docs/page.md written\n", "said\n")
    assert "| 224 |" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{END}\n", 1, "with no mark before it"),
        ("a\n<!-- cnnzoo list -->\nb\n", 2, "no <!-- /cnnzoo --> behind it"),
        (f"<!-- cnnzoo list -->\n<!-- cnnzoo rewrites -->\n{END}\n{END}\n", 2, "for the one in line 1"),
        (f"<!-- cnnzoo -->\n{END}\n", 1, "says no command"),
        (f"<!-- cnnzoo list\n-->\n{END}\n", 1, "stands on one line"),
        (f"<!-- cnnzoo list --> a\n{END}\n", 1, "nothing else on it"),
        (f"<!-- cnnzoo list --> <!-- b -->\n{END}\n", 1, "nothing else on it"),
        (f"<!-- cnnzoo list -->\n{END} a\n", 2, "nothing else on it"),
        ("<!-- cnnzoo list -->\n<!-- /cnnzoo list -->\n", 2, "says no command"),
        (marked("lists"), 3, "no command 'lists'; did you mean list?"),
        (marked("sh -c ls"), 3, "no command 'sh'"),
        (marked("--version"), 3, "no command '--version'"),
        (marked("list 'x"), 3, "No closing quotation"),
        (marked("list $(ls)"), 3, "no model matches '$(ls)'"),
        (marked("list; ls"), 3, "no command 'list;'"),
        (marked("summary"), 3, "Missing argument 'TARGET'"),
        (marked("summary vgg61"), 3, "cnnzoo summary vgg61: unknown model 'vgg61'; did you mean vgg11 or vgg16"),
        (marked("summary vgg16 --colums params"), 3, "No such option '--colums'"),
        (marked("summary nowhere.py:net"), 3, "nowhere.py"),
        (marked("summary broken.py:net --input-size 3"), 3, "broken.py"),
        (marked("summary ending.py:net"), 3, "SystemExit: 3"),
        (marked("savings plain18 --by groups"), 3, "nothing to save"),
        (marked("summary lenet5", "![a](a.svg)\n"), 3, "a table cannot be written as .svg"),
        (marked("draw lenet5 --format dot", "![a](a.svg)\n"), 3, "leave --format out"),
        (marked("compare lenet5 vgg11 --format csv", "![a](a.svg)\n"), 3, "leave --format out"),
        (marked("draw lenet5 --kind bars"), 3, "a picture goes to a file"),
    ],
)
@pytest.mark.parametrize("what", ["--check", "--write"])
def test_a_page_that_cannot_be_is_one_line_and_nothing_is_written(
    text: str, line: int, said: str, what: str, folder: Path
) -> None:
    page("def net(:", "broken.py")
    page("raise SystemExit(3)", "ending.py")
    pages = {page(marked("rewrites"), "first.md"): marked("rewrites"), page(text): text}
    result = call("tables", what, "first.md", "page.md")
    result.refused(f"Error: page.md:{line}: ", said)
    assert {path: path.read_text(encoding="utf-8") for path in pages} == pages
    assert len([path for path in folder.iterdir() if path.name != "__pycache__"]) == 4


def test_a_defect_is_no_error_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnzoo.cli.rewrites.document", lambda: 1 / 0)
    page(marked("rewrites"))
    with pytest.raises(ZeroDivisionError):
        call("tables", "--check", "page.md")


def test_a_command_that_exits_with_one_is_no_table() -> None:
    page(
        "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return torch.linalg.svd(x)[0]\n",
        "net.py",
    )
    page(marked("summary net.py:Net --input-size 3x8x8 --strict"))
    result = call("tables", "--write", "page.md")
    assert (result.code, result.out) == (2, "")
    assert "Error: page.md:3: cnnzoo summary net.py:Net" in result.err
    assert result.err.endswith("it exits with 1\n")


# What is around marks

PROSE = st.text(st.sampled_from("ab \t#>-1.`~|<!é\u2028\x0c\x85") | st.characters(codec="utf-8"), max_size=20)
ENDS = st.sampled_from(["\n", "\r\n"])


def is_prose(line: str) -> bool:
    return not set(line) & set("\r\n") and "cnnzoo" not in line and "```" not in line and "~~~" not in line


LINES = st.lists(PROSE.filter(is_prose), max_size=4)


@given(
    st.sampled_from(["", "\ufeff"]),
    ENDS,
    st.lists(st.tuples(LINES, st.sampled_from(["", " ", "   "]), LINES, PROSE.filter(is_prose)), max_size=3),
    LINES,
    st.booleans(),
)
def test_all_but_what_is_between_marks_stays(
    start: str, end: str, parts: list[tuple[list[str], str, list[str], str]], rest: list[str], ends: bool
) -> None:
    """To the byte: line ends, a byte order mark, white space, a last line that does not end."""
    before, after = start, start
    contents = []
    for prose, indent, old, new in parts:
        opened = "".join(f"{line}{end}" for line in [*prose, f"{indent}<!-- cnnzoo list -->"])
        closed = f"{indent}{END}{end}"
        before += f"{opened}{''.join(f'{line}{end}' for line in old)}{closed}"
        after += f"{opened}{end}{f'{indent}{new}'.rstrip()}{end}{end}{closed}"
        contents.append(new)
    tail = end.join([*rest, ""] if ends else rest)
    assert filled(before + tail, contents) == after + tail
    assert filled(after + tail, contents) == after + tail
    assert [region.command for region in regions(before + tail)] == ["list"] * len(parts)


@given(st.text(st.sampled_from("ab \t#>-`~<!é\r\n\u2028") | st.characters(codec="utf-8")))
def test_a_page_without_marks_is_as_it_was(text: str) -> None:
    assume("cnnzoo" not in text)
    assert filled(text, []) == text


@pytest.mark.parametrize(
    "text",
    [
        "```\n<!-- cnnzoo list -->\n```\n",
        "~~~md\n```\n<!-- cnnzoo list -->\n~~~\n",
        "````md\n```\n<!-- cnnzoo list -->\n```\n````\n",
        "1. a\n   ```md\n   <!-- cnnzoo list -->\n   ```\n",
        "- ```md\n  <!-- cnnzoo list -->\n  ```\n",
        "\ufeff```\n<!-- cnnzoo list -->\n```",
        "```\n<!-- cnnzoo list -->",
        "    <!-- cnnzoo list -->\n",
        "> <!-- cnnzoo list -->\n",
        "as <!-- cnnzoo list --> says\n",
        "<!-- cnnzoos list -->\n",
        "<!-- begin cnnzoo -->\n",
        "",
    ],
)
def test_what_is_no_mark(text: str) -> None:
    assert regions(text) == []
    assert regions(f"{text}\n") == []


def test_a_line_with_two_runs_of_ticks_begins_no_code() -> None:
    assert len(regions(f"```a``` b\n<!-- cnnzoo list -->\n{END}\n")) == 1
    assert len(regions("```\n```\n<!--cnnzoo list-->\n<!--/cnnzoo-->")) == 1


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf<!-- cnnzoo list lenet5 -->\r\n<!-- /cnnzoo -->\r\n\r\nno end",
        b"a\rb\r\n\r\n  <!-- cnnzoo list lenet5 -->\n  x\n  <!-- /cnnzoo -->",
    ],
)
def test_line_ends_are_those_of_the_mark(text: bytes) -> None:
    path = page(text)
    call("tables", "--write", "page.md").succeeded()
    now = path.read_bytes()
    first, second = re.search(rb"(?s)^(.*?lenet5 -->\r?\n).*?( *<!-- /.*)$", text).groups()  # type: ignore[union-attr]
    assert now.startswith(first)
    assert now.endswith(second)
    middle = now[len(first) : -len(second)]
    assert (b"\r" in middle) == (b"-->\r\n" in first)
    assert middle.count(b"\r\n") in (0, middle.count(b"\n"))
    assert all(line.startswith(b"  |") == (b"  <!--" in first) for line in middle.splitlines() if line)
    assert call("tables", "--write", "page.md").succeeded() == ""


# Files


def test_without_files_it_is_the_readme_and_docs(folder: Path) -> None:
    call("tables", "--check").refused("there is no Markdown file")
    for name in ("README.md", "docs/a.md", "docs/in/b.md", "docs/_build/c.md", "docs/.d/d.md", "docs/e.txt", "f.md"):
        page(marked("list lenet5"), name)
    stale = ["README.md", "docs/a.md", "docs/in/b.md"]
    result = call("tables", "--check")
    assert result.code == 1
    assert [line.split()[1] for line in result.err.splitlines()] == stale
    assert call("tables", "--write") == (0, "".join(f"{name} written\n" for name in stale), "")
    assert call("tables", "--check", "README.md", ".", "docs").code == 1
    assert call("tables", "--write", "docs/e.txt", "docs/e.txt").succeeded() == "docs/e.txt written\n"


def test_what_is_not_there_or_not_text_is_named() -> None:
    call("tables", "--check", "nowhere.md").refused("nowhere.md")
    call("tables").refused("--write")
    page(b"caf\xe9\n")
    call("tables", "--check", "page.md").refused("page.md is not UTF-8")


@pytest.mark.skipif(shutil.which("patch") is None, reason="takes patch")
@pytest.mark.parametrize("tail", ["\n", "", "\r\nx"])
def test_what_a_check_prints_is_a_patch(tail: str) -> None:
    path = page(f"<!-- cnnzoo list lenet5 -->\nx\n{END}{tail}")
    result: Result = call("tables", "--check", "page.md")
    assert result.code == 1
    subprocess.run(["patch", "--binary", "-p0"], input=result.out.encode(), check=True, capture_output=True)
    found = path.read_bytes()
    call("tables", "--check", "page.md").succeeded()
    assert call("tables", "--write", "page.md").succeeded() == ""
    assert path.read_bytes() == found


def test_progress_is_shown_on_a_terminal_alone() -> None:
    written("rewrites")
    assert call("tables", "--check", "page.md") == (0, "", "")
    assert "100%" in on_terminal("tables", "--check", "page.md")


# Pictures


@pytest.mark.parametrize("command", ["draw lenet5 --kind volumes", "compare lenet5 vgg11"])
def test_an_image_is_drawn_and_checked(command: str, folder: Path) -> None:
    pytest.importorskip("matplotlib")
    path = page(marked(command, "![What I say](../pictures/net.svg)\n"), "docs/page.md")
    result = call("tables", "--check")
    assert result.code == 1
    assert "docs/../pictures/net.svg is not what its marks say" in result.err
    call("tables", "--write").succeeded()
    call("tables", "--check").succeeded()
    assert "\n\n![What I say](../pictures/net.svg)\n\n" in path.read_text(encoding="utf-8")
    drawn = folder / "pictures" / "net.svg"
    text = drawn.read_text(encoding="utf-8")
    assert f"{lenet5.pinned.params:,} parameters" in text or "compare" in command
    drawn.write_text(text.replace("0", "1"), encoding="utf-8")
    result = call("tables", "--check")
    assert (result.code, result.out) == (1, "")


def test_without_the_extra_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnzoo.extras.find_spec", lambda name: None)
    page(marked("draw lenet5 --kind volumes", "![A](a.svg)\n"))
    call("tables", "--write", "page.md").refused("page.md:3: ", "cnnzoo[draw]")


# Others' projects


def test_the_hook_of_others_calls_what_there_is() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^- id: (.*)$", text, re.MULTILINE) == ["cnnzoo-tables"]
    entry = re.search(r"entry: cnnzoo (.*)", text)
    assert entry is not None
    path = page(marked("list lenet5"))
    call(*entry[1].split(), str(path)).succeeded()
    call("tables", "--check", str(path)).succeeded()
    assert "id: cnnzoo-tables" in PAGES[ROOT / "docs" / "tables.md"]


def test_figures_are_those_of_the_data_formats() -> None:
    (entry,) = json.loads(call("list", "lenet5", "--format", "json").succeeded())
    _, (row,) = table(written("list lenet5 --columns params,macs,flops,activations"))
    assert row == ["lenet5", *(f"{entry[name]:,}" for name in ("params", "macs", "flops", "activations"))]


def test_what_is_neither_a_file_nor_a_folder_is_refused() -> None:
    """A device may have no end."""
    call("tables", "--check", "/dev/zero").refused("/dev/zero is neither a file nor a folder")
