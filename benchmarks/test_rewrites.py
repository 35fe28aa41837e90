"""How many rewritten networks a second are made and priced."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import cnnzoo
from cnnzoo.rewrites import get_rewrite, list_rewrites
from cnnzoo.totals import totals

OPTIONS = {"scale_width": "=0.5", "scale_depth": "=0.5"}


@pytest.mark.parametrize("name", list_rewrites())
def test_rewrite_and_price_googlenet(benchmark: BenchmarkFixture, name: str) -> None:
    """One description rewritten again and again: another value each time, priced at 3x224x224."""
    description = cnnzoo.describe("googlenet")
    rewrite = get_rewrite(name + OPTIONS.get(name, ""))
    benchmark(lambda: totals(rewrite(description), (3, 224, 224)))
