"""Readers of what the package writes, none of which knows how it does so."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt


class Html(HTMLParser):
    """The cells of a table, their exact values, and the terms of a list; every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.values: list[list[str | None]] = []
        self.terms: list[str] = []
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag == "br":
            self.terms[-1] += "\n"
        if tag in ("meta", "br"):  # they have no end
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
            self.values.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.values[-1].append(dict(attributes).get("data-value"))
        elif tag in ("dt", "dd"):
            self.terms.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        elif {"dt", "dd"} & set(self.open):
            self.terms[-1] += data
        else:
            assert not data.strip() or {"title", "h1", "style", "script"} & set(self.open)


class Markdown:
    """The same of Markdown."""

    def __init__(self, text: str) -> None:
        self.rows: list[list[str]] = []
        self.terms: list[str] = []
        self.seen: set[str] = set()
        cell = False
        for token in MarkdownIt("commonmark").enable("table").parse(text):
            self.seen.add(token.type)
            if token.type == "tr_open":
                self.rows.append([])
            elif token.type == "inline":
                said = "".join(
                    " " if one.type in ("softbreak", "hardbreak") else one.content
                    for one in token.children or ()
                    if one.type in ("text", "text_special", "softbreak", "hardbreak")
                )
                self.seen.update(one.type for one in token.children or ())
                (self.rows[-1] if cell else self.terms).append(said)
            cell = token.type in ("td_open", "th_open")


SIGNS = {
    r"\textbackslash": "\\",
    r"\textasciitilde": "~",
    r"\textasciicircum": "^",
    r"\textless": "<",
    r"\textgreater": ">",
    r"\textbar": "|",
    r"\textquotedblright": '"',
    r"\textquotesingle": "'",
    r"\textasciigrave": "`",
    r"\textendash": "–",
    r"\textemdash": "—",
    r"\ldots": "…",
    r"\times": "×",
    r"\to": "→",
    r"\cdot": "·",
    r"\pm": "±",
    r"\lfloor": "⌊",
    r"\rfloor": "⌋",
    r"\lceil": "⌈",
    r"\rceil": "⌉",
    r"\approx": "≈",
    r"\leq": "≤",
    r"\geq": "≥",
    r"\Delta": "Δ",
    r"\quad": " ",
    "---": "—",
    "--": "–",
    "~": "\u00a0",
    **dict.fromkeys(("{", "}", "$", r"\textit", r"\par"), ""),
}
"""What TeX makes of them."""

BARS = "▏▎▍▌▋▊▉█"


class Latex:
    """The cells of a tabular or a longtable, its header once, and the notes under it."""

    def __init__(self, text: str) -> None:
        kind = r"\{(?:tabular|longtable)\}"
        form, inside, under = re.search(rf"\\begin{kind}\{{(.*?)\}}\n(.*)\\end{kind}(.*)", text, re.DOTALL).groups()
        inside = re.sub(r"\\endfirsthead.*\\endfoot", "", inside[inside.index(r"\toprule") :], flags=re.DOTALL)
        *lines, rest = re.sub(r"\\(toprule|midrule|bottomrule)\b", "", inside).split(r"\\")
        assert not rest.strip()
        self.rows = [[self.text(cell) for cell in re.split(r"(?<!\\)&", line)] for line in lines]
        self.form = re.sub(r">\{[^}]*\}p\{[^}]*\}|@\{\}", lambda found: "p" if ">" in found[0] else "", form)
        self.terms = [self.text(note) for note in re.findall(r"^(.+)\\par$", under, re.MULTILINE)]

    def text(self, source: str) -> str:
        source = re.sub(r"\\rule\{([\d.]+)em\}\{1.4ex\}", lambda found: BARS[round(16 * float(found[1])) - 1], source)
        bare = re.sub(r"\\hspace\*\{\d+em\}", "", source).strip()
        return "".join(map(self.sign, re.findall(r"\\[a-zA-Z]+ *|\\.|-{1,3}|.", bare, re.DOTALL)))

    def sign(self, token: str) -> str:
        assert token not in ("#", "%", "^", "_", "&"), "it means something in TeX"
        if re.fullmatch(r"\\[^a-zA-Z]", token):
            return token[1]
        return SIGNS[token.rstrip()] if token.startswith("\\") else SIGNS.get(token, token)
