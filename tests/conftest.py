"""How much the tests try: `pytest` a sample of what is wide, `pytest --wide`, as `.ci/run` does, most of it, and
`pytest --all` all.

A test of all registered networks, or one that is marked `wide`, has many cases. Without an option it runs on some of
them: a twelfth, but three at least, of networks only of those that stand for a family. With `--wide` it runs on all
that stand for a family, and of other tests' cases leaves out the variants of a network, which are the same code with
other numbers: ResNet-50 is tried, ResNet-101 with `--all`. Where it is slow and marked `wide(2)`, it runs on two
without an option, and of one marked `wide(0)` nothing runs; where it is marked `wide(2, 12)`, it runs with `--wide` on
twelve; where it is marked `every`, with `--wide` on every network.

Properties are tried on 10 examples, with `--wide` and `--all` on 100. `HYPOTHESIS_PROFILE=long` tries 2,000, with fresh
seeds.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, settings

from cnnzoo.zoo import get_builder, list_models

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side; torch's threads would wait for each other

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}

settings.register_profile("default", max_examples=10, derandomize=True, **COMMON)
settings.register_profile("wide", max_examples=100, derandomize=True, **COMMON)
settings.register_profile("long", max_examples=2000, **COMMON)

LEAST, SHARE = 3, 12


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--wide", action="store_true", help="one network of each family at least, 100 examples, not 10")
    parser.addoption("--all", action="store_true", help="as --wide, and every network")


def is_wide(config: pytest.Config) -> bool:
    return bool(config.getoption("--wide") or config.getoption("--all"))


def pytest_configure(config: pytest.Config) -> None:
    profile = "wide" if is_wide(config) else "default"
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", profile))


@pytest.fixture
def wide(pytestconfig: pytest.Config) -> bool:
    """Whether a test that has its cases within itself tries all of them."""
    return is_wide(pytestconfig)


@pytest.hookimpl(trylast=True)  # what -k and -m leave is sampled
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tests: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        tests[item.nodeid.partition("[")[0]].append(item)
    tried = {case for cases in tests.values() for case in chosen(of_images(cases), config)}
    config.hook.pytest_deselected(items=[item for item in items if item not in tried])
    items[:] = [item for item in items if item in tried]


def chosen(cases: list[pytest.Item], config: pytest.Config) -> list[pytest.Item]:
    """The cases of a test that are tried; none only of one that is marked `wide(0)`."""
    if config.getoption("--all") or not cases:
        return cases
    test = cases[0]
    if test.get_closest_marker("long"):
        return cases
    mark = test.get_closest_marker("wide")
    if not mark and not of_the_register(cases):
        return cases
    most, *most_wide = mark.args if mark and mark.args else (sys.maxsize,)
    if not config.getoption("--wide"):
        return sample(without_variants(cases), most)
    if test.get_closest_marker("every"):
        return cases
    if most_wide:
        return spread(without_variants(cases))[: most_wide[0]]
    return of_families(cases) if of_the_register(cases) else without_variants(cases)


IMAGES = {
    *(
        "test_module_tools",
        "test_peers",
        "test_tracing",
        "test_tracing_figures",
        "test_tracing_forms",
        "test_values_run",
    ),
    *("test_rewrites", "test_build", "test_drop_in", "test_features", "test_look"),
    "test_every_networks_peak_memory_is_that_of_the_simulation",
    "test_every_networks_stored_activations_are_what_autograd_saves",
    "test_other_channels_change_the_first_layer_alone",
    "test_what_is_measured_is_aligned_by_path",
}
"""Files, and tests of other files, that give all networks an image and nothing else."""


def of_images(cases: list[pytest.Item]) -> list[pytest.Item]:
    """The cases of a test that can be: networks that take boxes, too, are tested by `test_detectors` where others are
    given an image."""
    if not {cases[0].path.stem, cases[0].name.partition("[")[0]} & IMAGES:
        return cases
    return [case for case in cases if not detectors() & words(case)]


@cache
def detectors() -> frozenset[str]:
    """The registered networks that take boxes beside an image."""
    return frozenset(name for name in list_models() if get_builder(name).describe()._regions)


def of_the_register(cases: list[pytest.Item]) -> bool:
    """Whether a test is one of all networks: its cases name more than half of them."""
    half = len(registered()) / 2
    return len(cases) > half < len(registered() & set().union(*map(words, cases)))


def without_variants(cases: list[pytest.Item]) -> list[pytest.Item]:
    """The cases that name no variant of another network; all where they all do."""
    return [case for case in cases if not variants() & words(case)] or cases


@cache
def registered() -> frozenset[str]:
    """All networks."""
    return frozenset(list_models())


@cache
def variants() -> frozenset[str]:
    """The registered networks that are another one with other numbers."""
    return frozenset(name for name in list_models() if get_builder(name).variant_of)


def words(case: pytest.Item) -> set[str]:
    """What a case is of, such as a network and a format."""
    return set(re.split(r"[-\[\] ]", case.nodeid))


def sample(cases: list[pytest.Item], most: int = sys.maxsize) -> list[pytest.Item]:
    """Some cases of a test; none only if that is the most."""
    some = spread(of_families(cases))
    return some[: min(most, max(LEAST, len(some) // SHARE))]


def spread(cases: list[pytest.Item]) -> list[pytest.Item]:
    """The cases in an order that is the same each time and has nothing to do with what they are."""
    return sorted(cases, key=lambda case: sha256(case.nodeid.encode()).digest())


def of_families(cases: list[pytest.Item]) -> list[pytest.Item]:
    """The cases of networks that stand for a family; all where none is."""
    from small import FAMILIES  # imports torch, which the process that hands out the tests does not need

    return [case for case in cases if {*FAMILIES} & words(case)] or cases
