"""A paper's entry for BibTeX."""

from __future__ import annotations

import re
from unicodedata import normalize

from ...registry import Paper
from ...render.latex import SIGNS

CONFERENCES = {
    "AAAI": "AAAI Conference on Artificial Intelligence",
    "ACM Multimedia": "ACM International Conference on Multimedia",
    "BMVC": "British Machine Vision Conference",
    "CVPR": "IEEE/CVF Conference on Computer Vision and Pattern Recognition",
    "CVPR Workshops": "IEEE/CVF Conference on Computer Vision and Pattern Recognition Workshops",
    "ECCV": "European Conference on Computer Vision",
    "ICCV": "IEEE/CVF International Conference on Computer Vision",
    "ICLR": "International Conference on Learning Representations",
    "ICML": "International Conference on Machine Learning",
    "MICCAI": "Medical Image Computing and Computer-Assisted Intervention",
    "NeurIPS": "Advances in Neural Information Processing Systems",
    "NeurIPS Datasets and Benchmarks": "Neural Information Processing Systems Track on Datasets and Benchmarks",
}
"""The book of each conference; what is none of these is a journal."""

JOURNALS = {"TPAMI": "IEEE Transactions on Pattern Analysis and Machine Intelligence"}

ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030c": "v ", "\u0327": "c "}
"""LaTeX's for marks that combine with the letter before."""

SMALL = ("a", "an", "the", "on", "of", "for", "in")


def bibtex(paper: Paper) -> str:
    r"""The entry, of the edition at the venue if there is one: `@inproceedings{he2016deep, …}`.

    In ASCII: é is {\'e}. The title is in braces of its own, by which its capitals stay.
    """
    names, others = paper.names
    place, _, year = (paper.venue or "").rpartition(" ")
    published = {}
    if place in CONFERENCES:
        published = {"booktitle": CONFERENCES[place]}
    elif place:
        published = {"journal": JOURNALS.get(place, place)}
    fields = {
        "title": f"{{{_latex(paper.title)}}}",
        "author": " and ".join([*map(_latex, names), *["others"] * bool(others)]),
        **{name: _latex(value) for name, value in published.items()},
        "year": year or str(paper.year),
        "doi": paper.doi,
        "eprint": paper.arxiv,
        "archiveprefix": "arXiv" if paper.arxiv else None,
        "url": f"https://arxiv.org/abs/{paper.arxiv}" if paper.arxiv else paper.url,
    }
    kind = "inproceedings" if "booktitle" in published else "article" if published else "misc"
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{kind}{{{_key(paper, fields['year'] or '')},\n{lines}}}\n"


def _key(paper: Paper, year: str) -> str:
    """`he2016deep`: the first author's surname, the year, and the title's first word that says something."""
    surname = paper.citation.partition(" (")[0].partition(",")[0].partition(" et al.")[0]
    words = re.findall(r"\w+", _plain(paper.title))
    first = next((word for word in words if word.lower() not in SMALL), "")
    return re.sub(r"[\W_]", "", f"{_plain(surname)}{year}{first}").lower()


def _plain(text: str) -> str:
    return normalize("NFKD", text).encode("ascii", "ignore").decode()


def _latex(text: str) -> str:
    letters: list[str] = []
    for letter in normalize("NFD", text):
        if letter in ACCENTS:
            letters[-1] = f"{{\\{ACCENTS[letter]}{letters[-1]}}}"
        else:
            letters.append(SIGNS.get(letter, letter))
    return "".join(letters)
