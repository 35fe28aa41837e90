"""`cnnzoo show`: a registered network beside its family, its paper as an entry for BibTeX, whose weights it loads."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from command import call, on_terminal, without_codes
from originals import ORIGINALS

import cnnzoo
from cnnzoo.features.show import bibtex, card, weights
from cnnzoo.registry import Paper
from cnnzoo.weights.timm import FITS, Fit
from cnnzoo.words import sides
from cnnzoo.zoo import get_builder, list_models

PAPERS = {name: get_builder(name).paper for name in list_models()}
ROOTS = [name for name in list_models() if any(get_builder(one).variant_of is get_builder(name) for one in PAPERS)]


# The paper


def test_a_paper_is_said_once() -> None:
    links = {paper.link: paper for paper in PAPERS.values()}
    assert {*PAPERS.values()} == {*links.values()}


def test_every_paper_has_an_entry_of_its_own() -> None:
    entries = {paper: bibtex(paper) for paper in {*PAPERS.values()}}
    keys = [re.match(r"@(?:inproceedings|article|misc)\{([a-z]+\d{4}[a-z0-9]+),\n", one) for one in entries.values()]
    assert all(keys)
    assert len({one[1] for one in keys if one}) == len(entries)
    for paper, entry in entries.items():
        assert entry.isascii()
        assert entry.count("{") == entry.count("}")
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, re.MULTILINE))
        assert len(fields) == entry.count("\n") - 2
        assert fields["author"].count(" and ") == paper.authors.count(",") + paper.authors.endswith("Kim et al.")
        assert fields["title"].startswith("{")
        assert int(fields["year"]) in (paper.year, int((paper.venue or "0").split()[-1]))
        assert {"doi": paper.doi, "eprint": paper.arxiv}.items() >= {
            name: fields[name] for name in ("doi", "eprint") if name in fields
        }.items()
        assert (paper.arxiv or paper.doi or paper.url or "") in entry


@pytest.mark.parametrize(
    ("paper", "entry"),
    [
        (
            Paper("On Ünder_scores & <1 %", "José van der Maaten, et al.", 2020, url="https://a.b/c_d"),
            "@misc{vandermaaten2020underscores,\n"
            '  title = {{On {\\"U}nder\\_scores \\& \\textless{}1 \\%}},\n'
            "  author = {Jos{\\'e} van der Maaten and others},\n"
            "  year = {2020},\n  url = {https://a.b/c_d},\n}\n",
        ),
        (
            Paper("A", "Doe", 2020, doi="10.1/2", venue="Journal of Nets 2021"),
            "@article{doe2021,\n  title = {{A}},\n  author = {Doe},\n"
            "  journal = {Journal of Nets},\n  year = {2021},\n  doi = {10.1/2},\n}\n",
        ),
        (
            Paper("Deep Nets", "Jane Doe, Roe", 2020, arxiv="2001.00001", venue="CVPR 2021"),
            "@inproceedings{doe2021deep,\n  title = {{Deep Nets}},\n  author = {Jane Doe and Roe},\n"
            "  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},\n"
            "  year = {2021},\n  eprint = {2001.00001},\n  archiveprefix = {arXiv},\n"
            "  url = {https://arxiv.org/abs/2001.00001},\n}\n",
        ),
    ],
)
def test_an_entry(paper: Paper, entry: str) -> None:
    assert bibtex(paper) == entry


@pytest.mark.parametrize(
    ("authors", "surnames"),
    [
        ("Laurens van der Maaten, Kilian Q. Weinberger", "van der Maaten, Weinberger"),
        ("In So Kweon", "Kweon"),
        ("Doe", "Doe"),
        ("Doe, Roe", "Doe, Roe"),
        ("Kim et al.", "Kim et al."),
        ("Jane Doe, et al.", "Doe, et al."),
    ],
)
def test_a_citation_has_the_surnames(authors: str, surnames: str) -> None:
    assert Paper("T", authors, 2020).citation == f"{surnames} (2020): T"


# The family


@pytest.mark.wide(3, 14)
@pytest.mark.parametrize("name", ROOTS)
def test_what_a_variant_differs_in_makes_it(name: str) -> None:
    """The keywords that are shown make of the one description the other."""
    found = card(get_builder(name)).data
    variants = 0
    for row in found["family"][1:]:
        other = get_builder(row["model"])
        report = cnnzoo.summary(other)
        assert (row["params"], row["macs"]) == (report.total_params, report.total_macs)
        assert row["differs"]
        if other.variant_of is get_builder(name):
            keywords = row["differs"].removesuffix(f"inputs of {sides(other.input_size)}").removesuffix(", ")
            assert cnnzoo.describe(name, **eval(f"dict({keywords})")) == other.describe()
            assert card(other).data["variant_of"] == f"{name}, with {row['differs']}" if variants == 0 else True
            variants += 1
    assert variants


def test_of_two_functions_layers_are_counted() -> None:
    found = {row["model"]: row["differs"] for row in card(get_builder("vgg16")).data["family"]}
    assert found["vgg16"] == ""
    assert found["vgg16_bn"] == "13 BatchNorm2d added"
    assert found["vgg16c"] == "3 Conv2d changed"
    assert found["vgg19"] == "depth=(2, 2, 4, 4, 4)"
    assert [row["model"] for row in card(get_builder("xception")).data["family"]] == ["xception"]


# Weights


def test_timm_s_weights_are_those_of_the_same_networks() -> None:
    """Each is in `ORIGINALS`, where outputs are compared, but for one that is too large, the function of which is there
    under another name, and for VGGs, of which `test_checkpoint_layouts` loads one."""
    same = [Fit(name, one.model, {**one.ours}, bool(one.renamed)) for name, one in ORIGINALS if one.library == "timm"]
    others = [fit.network for fit in FITS if fit not in same]
    assert [name for name in others if not name.startswith("vgg")] == ["convnextv2_huge"]


@pytest.mark.filterwarnings("ignore")
def test_timm_publishes_them() -> None:
    from libraries import stub_torchvision

    stub_torchvision()
    timm = pytest.importorskip("timm")
    for fit in FITS:
        assert timm.get_pretrained_cfg(fit.model).has_weights, fit.model


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet50", ["torchvision: resnet50, IMAGENET1K_V1, IMAGENET1K_V2", "timm: resnet50"]),
        ("googlenet_tv", ["torchvision: googlenet, IMAGENET1K_V1"]),
        ("senet154", ["timm: legacy_senet154"]),
        ("darknet53", ["timm: darknet53 with negative_slope=0.01"]),
        ("regnet_y_4gf", ["timm: regnety_040, whose tensors have other names (rename=)"]),
        ("resnet50_v1", []),
    ],
)
def test_whose_weights_it_loads(name: str, said: list[str]) -> None:
    assert weights(name) == said


# The command


def test_a_card_in_a_terminal() -> None:
    out = without_codes(on_terminal("show", "resnet101", columns=80))
    assert "Variant of  resnet50, with depth=(3, 4, 23, 3)" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_endings_say_what_is_written(tmp_path: Any) -> None:
    for ending, option in ((".bib", "--bibtex"), (".py", "--source")):
        file = tmp_path / f"vgg16{ending}"
        assert call("show", "vgg16", "-o", str(file)).succeeded() == ""
        assert file.read_text() == call("show", "vgg16", option).succeeded()
    file = tmp_path / "vgg16.json"
    call("show", "vgg16", "-o", str(file)).succeeded()
    assert json.loads(file.read_text())["paper"]["bibtex"] == call("show", "vgg16", "--bibtex").succeeded()


@pytest.mark.parametrize(("option", "language"), [("--bibtex", "bibtex"), ("--source", "python")])
def test_texts_are_blocks_of_code_in_markdown(option: str, language: str) -> None:
    text = call("show", "lenet5", option).succeeded()
    assert call("show", "lenet5", option, "--format", "text").succeeded() == text
    assert call("show", "lenet5", option, "--format", "markdown").succeeded() == f"```{language}\n{text}```\n"


def test_a_changed_network_has_the_paper_of_its_name() -> None:
    assert call("show", "vgg16+drop_head", "--bibtex").succeeded() == call("show", "vgg16", "--bibtex").succeeded()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("vgg16 --source --bibtex", "say one of them"),
        ("vgg16 --source --format json", "--format json is of a registered network as it is"),
        ("vgg16+drop_head --format json", "--format json"),
        ("timm:vgg16 --bibtex", "'timm:vgg16' is no registered network"),
        ("vgg16 -o vgg16.svg", "a table cannot be written as .svg"),
        ("vgg15 --bibtex", "did you mean vgg11"),
    ],
)
def test_what_does_not_go_together_is_one_line(arguments: str, said: str) -> None:
    call("show", *arguments.split()).refused(said)
