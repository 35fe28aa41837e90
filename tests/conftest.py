"""How much the tests try: `pytest` a sample of what is wide, `pytest --wide` all of it, as `.ci/run` does.

The cases of a test that is marked `wide` are many. Without `--wide` it runs on some of them: an eighth, but four at
least, and of networks those that stand for a family; where it is marked `wide(2)`, on two. Properties are tried on 10
examples, with `--wide` on 100. `HYPOTHESIS_PROFILE=long` tries 2,000, with fresh seeds.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side; torch's threads would wait for each other

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}

settings.register_profile("default", max_examples=10, derandomize=True, **COMMON)
settings.register_profile("wide", max_examples=100, derandomize=True, **COMMON)
settings.register_profile("long", max_examples=2000, **COMMON)

LEAST, SHARE = 4, 8


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--wide", action="store_true", help="all cases of tests marked `wide`, and 100 examples, not 10")


def pytest_configure(config: pytest.Config) -> None:
    profile = "wide" if config.getoption("wide") else "default"
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", profile))


@pytest.fixture
def wide(pytestconfig: pytest.Config) -> bool:
    """Whether a test that has its cases within itself tries all of them."""
    return bool(pytestconfig.getoption("wide"))


@pytest.hookimpl(trylast=True)  # what -k and -m leave is sampled
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("wide"):
        return
    tests: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("wide") and not item.get_closest_marker("long"):
            tests[item.nodeid.partition("[")[0]].append(item)
    chosen = {item for cases in tests.values() for item in sample(cases, *cases[0].get_closest_marker("wide").args)}
    left_out = {item for cases in tests.values() for item in cases} - chosen
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def sample(cases: list[pytest.Item], most: int = sys.maxsize) -> list[pytest.Item]:
    """Some cases of a test, the same ones each time; never none."""
    from small import FAMILIES  # imports torch, which the process that hands out the tests does not need

    of_families = [case for case in cases if {*FAMILIES} & set(re.split(r"[-\[\]]", case.nodeid))]
    spread = sorted(of_families or cases, key=lambda case: crc32(case.nodeid.encode()))
    return spread[: min(most, max(LEAST, len(cases) // SHARE))]
