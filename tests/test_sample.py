"""What `pytest` leaves to `pytest --wide`."""

from collections.abc import Callable
from types import SimpleNamespace

from conftest import detectors, of_the_register, sample, without_variants
from small import FAMILIES, OF_EVERY_KIND, small

import cnnzoo
from cnnzoo.arch import walk


def chosen(*ids: str, choose: Callable[..., list] = sample, **most: int) -> list[str]:
    cases = [SimpleNamespace(nodeid=f"tests/test_x.py::test_y[{name}]") for name in ids]
    return sorted(case.nodeid.partition("[")[2][:-1] for case in choose(cases, **most))


def test_of_networks_some_of_different_families_are_tried():
    modules = {cnnzoo.get_builder(name).__module__ for name in cnnzoo.list_models()}
    assert {cnnzoo.get_builder(name).__module__ for name in FAMILIES} == modules
    assert len({*chosen(*cnnzoo.list_models())} & {*FAMILIES}) == max(3, len(FAMILIES) // 12)
    assert len(chosen(*cnnzoo.list_models(), most=2)) == 2
    pairs = chosen(*(f"{name}-{kind}" for name in cnnzoo.list_models() for kind in range(80)))
    assert len(pairs) == len(FAMILIES) * 80 // 12
    assert {pair.partition("-")[0] for pair in pairs} == {*FAMILIES}
    assert len({pair.partition("-")[2] for pair in pairs}) > 40


def test_every_kind_of_layer_is_in_some():
    images = {*FAMILIES} - detectors()
    kinds = {name: {type(node) for _, node in walk(small(name)[0])} for name in images}
    assert {*OF_EVERY_KIND} <= images
    assert set().union(*map(kinds.get, OF_EVERY_KIND)) == set().union(*kinds.values())


def test_a_family_s_variants_are_left_out():
    assert chosen("resnet50", "resnet101", "resnet50-csv", "a resnet152", choose=without_variants) == [
        *("resnet50", "resnet50-csv")
    ]
    assert chosen("resnet101", "resnet152", choose=without_variants) == ["resnet101", "resnet152"]
    for names in (cnnzoo.list_models(), FAMILIES):
        cases = [SimpleNamespace(nodeid=f"test_y[{name}]") for name in names]
        assert of_the_register(cases) == (names is not FAMILIES)
    assert not any(cnnzoo.get_builder(name).variant_of for name in FAMILIES)


def test_of_other_cases_a_twelfth_is_tried_and_three_at_least():
    assert [len(chosen(*map(str, range(many)))) for many in (1, 3, 10, 80)] == [1, 3, 3, 6]
    assert chosen(*"abcdef") == chosen(*"fedcba")
