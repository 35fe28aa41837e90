"""How much the tests try: `pytest` a sample of what is wide, `pytest --wide` all of it, as `.ci/run` does.

The cases of a test that is marked `wide` are many. Without `--wide` every such test runs on some of them: of networks
one of each family, of other cases an eighth, but three at least. Properties are tried on 20 examples, with `--wide`
on 100. `HYPOTHESIS_PROFILE=long` tries 2,000, with fresh seeds.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side; torch's threads would wait for each other

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}

settings.register_profile("default", max_examples=20, derandomize=True, **COMMON)
settings.register_profile("wide", max_examples=100, derandomize=True, **COMMON)
settings.register_profile("long", max_examples=2000, **COMMON)

LEAST, SHARE = 3, 8
FAMILIES = {"lenet5", "alexnet", "vgg11_bn", "googlenet", "resnet18", "resnet50", "densenet121"}
"""One network of each family, and of ResNet one of each block."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--wide", action="store_true", help="all cases of tests marked `wide`, and 100 examples, not 20")


def pytest_configure(config: pytest.Config) -> None:
    profile = "wide" if config.getoption("wide") else "default"
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", profile))


@pytest.hookimpl(trylast=True)  # what -k and -m leave is sampled
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("wide"):
        return
    tests: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("wide"):
            tests[item.nodeid.partition("[")[0]].append(item)
    chosen = {item for cases in tests.values() for item in sample(cases)}
    left_out = [item for cases in tests.values() for item in cases if item not in chosen]
    items[:] = [item for item in items if item not in set(left_out)]
    config.hook.pytest_deselected(items=left_out)


def sample(cases: list[pytest.Item]) -> list[pytest.Item]:
    """Some cases of a test, the same ones each time; never none."""
    of_families = [case for case in cases if FAMILIES & set(re.split(r"[-\[\]]", case.nodeid))]
    spread = sorted(of_families or cases, key=lambda case: crc32(case.nodeid.encode()))
    return spread[: max(len(FAMILIES) if of_families else LEAST, len(cases) // SHARE)]
