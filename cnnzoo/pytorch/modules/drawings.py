"""The classes as stylised drawings: what LeNet-5's output layer measures the distance to."""

from __future__ import annotations

from random import Random

DIGITS = """
.#####. ...#... .#####. .#####. .....#. ####### ..####. ####### .#####. .#####.
##...## ..##... ##...## ##...## ....##. #...... .##.... ......# ##...## ##...##
#.....# .###... #.....# ......# ...###. #...... ##..... .....## #.....# #.....#
#.....# ...#... ......# ......# ..##.#. #...... #...... .....#. #.....# #.....#
#.....# ...#... .....## .....## .##..#. #...... #...... ....##. ##...## #.....#
#.....# ...#... ....##. ..####. ##...#. ######. ######. ....#.. .#####. ##...##
#.....# ...#... ...##.. .....## #....#. .....## ##...## ...##.. ##...## .######
#.....# ...#... ..##... ......# ####### ......# #.....# ...#... #.....# ......#
#.....# ...#... .##.... ......# .....#. ......# #.....# ..##... #.....# ......#
#.....# ...#... ##..... ......# .....#. ......# #.....# ..#.... #.....# .....##
##...## ...#... #...... ##...## .....#. ##...## ##...## ..#.... ##...## ....##.
.#####. .#####. ####### .#####. .....#. .#####. .#####. ..#.... .#####. .####..
"""
"""The ten digits on 7x12 points, as in figure 3 of LeCun et al. (1998), in a hand of our own."""


def drawings(classes: int, points: int) -> list[list[float]]:
    """+1 where a class's drawing is black and -1 elsewhere: (classes, points), row by row of the drawing.

    Up to ten classes on 84 points are the digits. For all others, of which the paper has no drawings that
    fit, every point is +1 or -1 at random, the same at every call.
    """
    rows = [line.split() for line in DIGITS.split("\n") if line]
    digits = ["".join(columns) for columns in zip(*rows, strict=True)]
    if classes <= len(digits) and points == len(digits[0]):
        return [[1.0 if point == "#" else -1.0 for point in digit] for digit in digits[:classes]]
    random = Random(1998)
    return [[random.choice((-1.0, 1.0)) for _ in range(points)] for _ in range(classes)]
