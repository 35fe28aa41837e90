"""What `pytest` leaves to `pytest --wide`."""

from types import SimpleNamespace

from conftest import sample
from small import FAMILIES

import cnnzoo


def chosen(*ids: str, most: int = 99) -> list[str]:
    cases = [SimpleNamespace(nodeid=f"tests/test_x.py::test_y[{name}]") for name in ids]
    return sorted(case.nodeid.partition("[")[2][:-1] for case in sample(cases, most))


def test_of_networks_some_of_different_families_are_tried():
    modules = {cnnzoo.get_builder(name).__module__ for name in cnnzoo.list_models()}
    assert {cnnzoo.get_builder(name).__module__ for name in FAMILIES} == modules
    assert len({*chosen(*cnnzoo.list_models())} & {*FAMILIES}) == 4
    assert len(chosen(*cnnzoo.list_models(), most=2)) == 2
    pairs = chosen(*(f"{name}-{kind}" for name in cnnzoo.list_models() for kind in range(20)))
    assert len(pairs) == len(cnnzoo.list_models()) * 20 // 8
    assert {pair.partition("-")[0] for pair in pairs} == {*FAMILIES}
    assert {pair.partition("-")[2] for pair in pairs} == set(map(str, range(20)))


def test_of_other_cases_an_eighth_is_tried_and_four_at_least():
    assert [len(chosen(*map(str, range(many)))) for many in (1, 3, 10, 80)] == [1, 3, 4, 10]
    assert chosen(*"abcdef") == chosen(*"fedcba")
