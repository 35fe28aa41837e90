"""The course: everything its pages show happens in their notebooks, and answers are computed."""

from __future__ import annotations

import re
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from notebooks import ANSWER, cells, notebook
from pages import FENCE, PICTURE

COURSE = Path(__file__).parents[1] / "docs" / "course"
PAGES = sorted(COURSE.glob("[0-9]*.md"))
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
ARTICLES = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def printed(cell: nbformat.NotebookNode) -> str:
    """What stands under a cell when it has run."""
    said = (one["text"] if "text" in one else one["data"].get("text/plain", "") + "\n" for one in cell.outputs)
    return re.sub(r"\x1b\[[0-9;]*m", "", "".join(said)).replace("\r\n", "\n")


@ARTICLES
@pytest.mark.wide(0, 7)
def test_a_notebook_runs_as_it_stands(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    book = nbformat.from_dict(notebook(page))
    nbformat.validate(book)
    (tmp_path / "work").mkdir()
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path / "work")}}).execute()
    for cell, ran in zip(cells(TEXTS[page]), book.cells, strict=True):
        if cell.output is not None:
            same = OutputChecker().check_output(cell.output, printed(ran), ELLIPSIS)
            assert same, f"{cell.source}\n\n{printed(ran)}\nas shown:\n{cell.output}"
        elif cell.source.startswith("!"):
            assert "Error: " not in printed(ran), f"{cell.source}\n\n{printed(ran)}"
    for shown, name in PICTURE.findall(TEXTS[page]):
        drawn = tmp_path / "work" / name
        assert not drawn.exists() or drawn.read_bytes() == (COURSE / shown).read_bytes(), (
            f"{shown} is not what is drawn"
        )


@ARTICLES
def test_each_exercise_has_an_answer_that_is_computed(page: Path) -> None:
    exercises = TEXTS[page].partition("\n## Exercises\n")[2]
    asked = re.findall(r"^\*\*Exercise (\d+)\.\*\*", exercises, re.MULTILINE)
    answers = ANSWER.findall(exercises)
    assert [f"Answer {number}" for number in asked] == [title for title, _ in answers]
    assert asked == [str(number) for number in range(1, len(asked) + 1)] != []
    for title, answer in answers:
        assert any(cell.output for cell in cells(f"\n{answer}")), f"{page.stem}: {title} is not computed"
        shown = "".join(block[3] for block in FENCE.finditer(answer))
        written = set(NUMBER.findall(re.sub(r"\]\([^)]*\)", "]", FENCE.sub("", answer))))
        assert written <= {*NUMBER.findall(shown), "0", "1"}, f"{page.stem}: {title} says what nothing computes"


def test_the_course_is_in_order_and_its_pictures_are_light() -> None:
    index, site = (path.read_text(encoding="utf-8") for path in (COURSE / "index.md", COURSE.parent / "index.md"))
    assert re.findall(r"\]\((\d\d-[^)]*)\)", index) == [page.name for page in PAGES]
    assert re.findall(r"^course/(\d\d-.*)$", site, re.MULTILINE) == [page.stem for page in PAGES]
    for page, text in TEXTS.items():
        assert text.startswith(f"# {int(page.stem[:2])}. ")
    assert max(picture.stat().st_size for picture in (COURSE / "pictures").iterdir()) <= 300_000
