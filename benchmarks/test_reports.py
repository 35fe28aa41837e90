"""How many reports a second the calculator makes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import cnnzoo
from cnnzoo.arch import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Flatten, Linear, ReLU, Sequential
from cnnzoo.calculate import calculate
from cnnzoo.models.resnet import basic, stage


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


def cifar_resnet(blocks: int) -> Sequential:
    """He et al. (2015), section 4.2: 6n + 2 layers, with shortcuts of option A."""
    stages = {
        f"layer{number}": stage(basic, 8 << number, blocks, min(number, 2), number > 1, 1, 1, shortcut="A")
        for number in (1, 2, 3)
    }
    stem = {"conv1": Conv2d(16, 3, padding=1, bias=False), "bn1": BatchNorm2d(), "relu": ReLU()}
    return Sequential(**stem, **stages, avgpool=AdaptiveAvgPool2d(1), flatten=Flatten(), fc=Linear(10))


def test_a_row_costs_the_same_in_a_network_of_4210_rows(ratio: Callable[..., float]) -> None:
    """ResNet-1202 against 20 networks of a 20th of its blocks: at most 1.3."""
    long, short = cifar_resnet(200), cifar_resnet(10)
    ratio(
        "the report of ResNet-1202, 4,210 rows / 20 of ResNet-62",
        lambda: calculate(long, (3, 32, 32)),
        lambda: [calculate(short, (3, 32, 32)) for _ in range(20)],
        20,
    )


@pytest.mark.parametrize("name", ["efficientnet_b0", "hrnet_w18", "resnet1202"])
def test_a_row_costs_as_much_as_one_of_resnet50(ratio: Callable[..., float], name: str) -> None:
    """With gates, whose fields are known apart; with maps made larger, in which positions differ; and one of 4,210."""
    net, other = (cnnzoo.get_builder(one) for one in (name, "resnet50"))
    rounds = round(len(net.report().rows) / len(other.report().rows))
    ratio(
        f"the report of {name} / {rounds} of ResNet-50, as many rows",
        lambda: calculate(net.describe(), net.input_size),
        lambda: [calculate(other.describe(), other.input_size) for _ in range(rounds)],
        20,
    )
