"""The documentation: everything it shows happens, everything there is has a place in it, and the site works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest
from browser import Page, browse
from command import environment
from pages import NOT_RUN, blocks
from sessions import happens, session

import cnnzoo
from cnnzoo.cli import COMMANDS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TEXTS = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts}
SHOWING = [
    path
    for path, text in TEXTS.items()
    if path.parent.name != "course" and any(block.language not in NOT_RUN for block in blocks(text))
]
"""Pages that run; those of the course run as notebooks, in `test_course.py`."""


@pytest.mark.wide(2)
@pytest.mark.parametrize("page", SHOWING, ids=lambda page: page.stem)
def test_everything_that_a_page_shows_happens(page: Path, tmp_path: Path) -> None:
    happens(page, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```console\n$ cnnzoo --version\ncnnzoo, version 0\n```\n", "-cnnzoo, version 0"),
        ("```console\n$ cnnzoo --version | tail -0\n$ false\n```\n", "false: exit code 1"),
        ("```sh\ncnnzoo summary nothing\n```\n", "exit code 2"),
        ("```python\n>>> 1 + 1\n3\n```\n", "-3\n+2\n"),
        ("```python\n>>> one = 1\n```\ntext\n```python\n>>> one + 1\n1\n```\n", "page.md:5: python"),
        ("```python\n1 + 1\n```\n", "nothing runs a block of 'python'"),
        ("```julia\n1 + 1\n```\n", "nothing runs a block of 'julia'"),
        ("```\n1 + 1\n```\n", "nothing runs a block of ''"),
        ("```toml\n# a.toml\nx = 1\n```\n```console\n$ cat a.toml\nx = 2\n```\n", "+x = 1"),
    ],
)
def test_what_does_not_happen_is_noticed(text: str, said: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    done = session(str(page), str(tmp_path))
    assert done.returncode == 1
    assert said in done.stdout


def test_what_happens_can_be_written_into_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "a\n\n```python\n>>> one = 1\n>>> one + 1\n```\n\n```console\n$ echo 1\n2\n```\nb\n", encoding="utf-8"
    )
    assert session("--write", str(page), str(tmp_path)).returncode == 1
    assert page.read_text(encoding="utf-8") == (
        "a\n\n```python\n>>> one = 1\n>>> one + 1\n2\n```\n\n```console\n$ echo 1\n1\n```\nb\n"
    )
    happens(page, tmp_path)


def test_what_needs_a_package_is_left_alone_without_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console needs=nothing_of_this_name\n$ false\n```\n```console needs=click\n$ echo 1\n2\n```\n")
    done = session("--write", str(page), str(tmp_path))
    assert done.stdout.count("page.md:") == 1
    assert page.read_text().endswith("$ false\n```\n```console needs=click\n$ echo 1\n1\n```\n")


def test_a_picture_of_a_page_is_what_its_commands_draw(tmp_path: Path) -> None:
    page, kept = tmp_path / "page.md", tmp_path / "pictures" / "new.svg"
    kept.parent.mkdir()
    kept.write_text("old")
    page.write_text("```sh\nprintf new > new.svg\n```\n![One](pictures/new.svg)\n![Two](pictures/other.svg)\n")
    done = session(str(page), str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "page.md: pictures/new.svg is not what is drawn\n")
    assert session("--write", str(page), str(tmp_path)).returncode == 1
    assert kept.read_text() == "new"
    happens(page, tmp_path)


def test_every_command_and_every_public_name_has_its_place() -> None:
    commands, api = TEXTS[DOCS / "commands.md"], TEXTS[DOCS / "api.md"]
    assert re.findall(r"^## cnnzoo (\S+)$", commands, re.MULTILINE) == list(COMMANDS)
    of_others = {"ShapeError", "get_model", "get_model_builder", "model_entrypoint"}  # cnnzoo.arch; torchvision, timm
    assert {name for name in cnnzoo.__all__ if f":: cnnzoo.{name}" not in api} <= of_others


# The site, built and opened


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
built = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("sphinx", "furo", "myst_parser")), reason="takes the extra `docs`"
)
opened = pytest.mark.skipif(CHROMIUM is None, reason="takes chromium")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


class Site(NamedTuple):
    folder: Path
    url: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """All of it, made from nothing with warnings as errors, and served to this machine."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Page]:
    assert CHROMIUM is not None
    with browse(CHROMIUM, tmp_path) as page:
        yield page


HIDDEN = """
[...document.querySelectorAll("table:has(td.text-right) td:first-child")]
  .filter((cell) => cell.scrollWidth > cell.offsetWidth || cell.offsetWidth > window.innerWidth / 2 + 20)
  .map((cell) => cell.textContent)
"""
"""What stays in sight while a table's numbers scroll, and lies over them."""


@built
@opened
@pytest.mark.long
def test_every_page_opens_without_a_complaint_and_with_its_pictures(site: Site, tab: Page) -> None:
    found = (path.relative_to(site.folder) for path in sorted(site.folder.rglob("*.html")))
    pages = [path for path in found if path.parts[0] != "_static"]
    assert {path.with_suffix("") for path in pages} >= {path.relative_to(DOCS).with_suffix("") for path in TEXTS}
    pictures = 0
    for path in pages:
        for width in (1280, 390):
            tab.look(width, 900)
            tab.open(f"{site.url}/{path}")
            assert tab.ask("document.querySelector('article').textContent.trim().length > 20"), path
            images = tab.ask("[...document.images].map((image) => image.complete && image.naturalWidth > 0)")
            assert all(images), path
            pictures += len(images)
            assert tab.ask("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is too wide"
            assert tab.ask(HIDDEN) == [], path
    assert pictures
    assert tab.complaints == []


COLUMN = """
(() => {
  const table = document.querySelector("article table");
  const column = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.trim() === NAME);
  return [...table.tBodies[0].rows].map((row) => row.cells[column].textContent.trim());
})()
"""
CLICK = """
[...document.querySelectorAll("article table th button")].find((one) => one.textContent.trim() === NAME).click()
"""


@built
@opened
@pytest.mark.long
def test_tables_sort(site: Site, tab: Page) -> None:
    """By the largest number, by the smallest, and as it was; by words the other way round."""
    tab.open(f"{site.url}/models.html")

    def column(name: str) -> list[str]:
        shown: list[str] = tab.ask(COLUMN.replace("NAME", repr(name)))
        return shown

    def click(name: str) -> None:
        tab.ask(CLICK.replace("NAME", repr(name)))

    first = column("Model")
    assert sorted(first) == sorted(cnnzoo.list_models())
    click("MACs")
    macs = [int(cell.replace(",", "")) for cell in column("MACs")]
    assert macs == sorted(macs, reverse=True)
    assert macs[0] == max(cnnzoo.summary(name).total_macs for name in first)
    assert column("Model")[0] == "vgg19" or column("Model")[1] == "vgg19", "a row moves as a whole"
    click("MACs")
    assert [int(cell.replace(",", "")) for cell in column("MACs")] == macs[::-1]
    click("MACs")
    assert column("Model") == first
    click("Model")
    assert column("Model")[0] == "alexnet"
    click("Year")
    assert column("Year") == sorted(column("Year"), reverse=True)
    assert tab.ask("document.querySelectorAll('th[aria-sort=descending]').length") == 1
    assert tab.complaints == []


@built
@opened
@pytest.mark.long
def test_search_finds_a_network(site: Site, tab: Page) -> None:
    tab.open(f"{site.url}/search.html?q=resnet50")
    found = """
    new Promise((done) => {
      const look = () => {
        const links = [...document.querySelectorAll("ul.search li a")].map((one) => one.textContent);
        if (links.length > 3) done(links); else setTimeout(look, 50);
      };
      look();
    })
    """
    titles = tab.ask(found)
    assert "ResNet" in titles
    assert tab.complaints == []


@built
@opened
@pytest.mark.long
def test_without_javascript_the_tables_are_there(site: Site, tab: Page) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(f"{site.url}/models.html")
    assert "25,557,032" in (site.folder / "models.html").read_text(encoding="utf-8")
    assert tab.complaints == []


@opened
def test_numbers_have_room_beside_the_name_of_their_row(tab: Page, tmp_path: Path) -> None:
    """However long it is: there is no scrolling to what lies below a column that stays in sight."""
    style = (ROOT / "docs" / "_static" / "site.css").as_uri()
    name = ", ".join(f"features.denseblock{number}.denselayer" for number in range(9))
    row = f'<tr><td>{name}</td><td class="text-right">6, 12, 24, 16</td></tr>'
    file = tmp_path / "page.html"
    file.write_text(f'<link rel="stylesheet" href="{style}"><body><table class="docutils">{row}</table>')
    for width in (390, 1280):
        tab.look(width, 900)
        tab.open(file.as_uri())
        assert tab.ask(HIDDEN) == [], width


@opened
def test_pictures_are_as_dark_as_the_theme_that_was_chosen(tab: Page, tmp_path: Path) -> None:
    """Whatever the reader's system is; without a choice as that is."""
    image = pytest.importorskip("matplotlib.image")
    picture = '<img src="{}" width="300">'.format((ROOT / "docs" / "pictures" / "lenet5.volumes.svg").as_uri())
    style = (ROOT / "docs" / "_static" / "site.css").as_uri()
    for theme, system in product(("dark", "light", "auto"), ("dark", "light")):
        dark = (system if theme == "auto" else theme) == "dark"
        file = tmp_path / "page.html"
        file.write_text(f'<link rel="stylesheet" href="{style}"><body data-theme="{theme}">{picture}</body>')
        tab.look(340, 300, system)
        tab.open(file.as_uri())
        tab.screenshot(tmp_path / "seen.png")
        assert (image.imread(tmp_path / "seen.png")[60, 150, 0] < 0.5) == dark, (theme, system)
