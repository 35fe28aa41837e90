"""Ratios measured in one run: the two sides take turns, so that a machine's drift falls on both."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter

import pytest

Ratio = Callable[[str, Callable[[], object], Callable[[], object], int], float]
_said: list[str] = []


def pytest_xdist_auto_num_workers() -> int:
    """One after the other, in this process: what is timed is alone."""
    return 0


@pytest.fixture
def ratio() -> Ratio:
    """`ratio(what, ours, peer, rounds)`: the median of ours / peer over alternating pairs."""

    def measure(what: str, ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> float:
        ours(), peer()
        pairs = [(_timed(ours), _timed(peer)) for _ in range(rounds)]
        ratios = [mine / other for mine, other in pairs]
        median = statistics.median(ratios)
        mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
        _said.append(
            f"{what}: {median:.2f} (pairs from {min(ratios):.2f} to {max(ratios):.2f}; "
            f"medians {mine * 1e3:.1f} ms and {other * 1e3:.1f} ms, {rounds} pairs)"
        )
        return median

    return measure


@pytest.fixture
def say() -> Callable[[str], None]:
    """Add a line to what the run prints at its end."""
    return _said.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _said:
        terminalreporter.section("measured")
    for line in _said:
        terminalreporter.write_line(line)


def _timed(run: Callable[[], object]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start
