"""How many reports a second the calculator makes."""

from __future__ import annotations

from itertools import count

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import cnnzoo
from cnnzoo.calculate import calculate


@pytest.mark.parametrize("name", ["resnet50", "resnet152", "densenet201"])
def test_report(benchmark: BenchmarkFixture, name: str) -> None:
    """Name in, totals out: description and layers known from the round before."""
    benchmark(lambda: cnnzoo.summary(name).total_params)


@pytest.mark.parametrize("name", ["resnet50", "resnet152"])
def test_report_at_a_new_size_each_time(benchmark: BenchmarkFixture, name: str) -> None:
    """As in a sweep over input sizes: no layer has been met at its size before."""
    description = cnnzoo.get_builder(name).describe()
    sizes = count(64)
    benchmark(lambda: calculate(description, (3, next(sizes), 224)).total_params)
