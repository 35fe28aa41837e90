"""`cnnzoo filters PICTURE [FILTER]…`."""

from __future__ import annotations

import click

from ..features.filters import FILTERS, RANDOM, filters
from .common import drawn_ending, emit, format_option, output_option, write
from .completion import complete_word

NAMES = (*FILTERS, RANDOM)


@click.command("filters", short_help="Blur, edges and more of a photograph.")
@click.argument("picture", metavar="PICTURE", type=click.Path())
@click.argument("names", metavar="[FILTER]…", nargs=-1, shell_complete=complete_word(NAMES))
@click.option("--grey", is_flag=True, help="Make one channel of the colours first.")
@click.option(
    "--size", type=click.IntRange(3, 2048), help="Scale its shorter side to so many pixels, and keep the middle."
)
@click.option("--stride", type=click.IntRange(1, 10**9), default=1, show_default=True, help="Pixels between windows.")
@click.option("--seed", type=click.IntRange(0, 10**9), default=0, show_default=True, help="Of the random kernels.")
@click.option("--apart", is_flag=True, help="Show each channel as a grey picture.")
@output_option("Write to FILE, all or nothing; the pictures where it ends in .png.")
@format_option
def filters_command(
    picture: str,
    names: tuple[str, ...],
    grey: bool,
    size: int | None,
    stride: int,
    seed: int,
    apart: bool,
    output: str | None,
    format_: str | None,
) -> None:
    """Convolve PICTURE, a photograph in PNG, JPEG or the like, with kernels of 3x3, each channel by itself.

    \b
    cnnzoo filters cat.jpg -o all.png
    cnnzoo filters photo.jpg sobel --grey --size 440 --stride 2 -o edges.png

    FILTER is blur, sharpen, emboss, outline, sobel_x, sobel_y, sobel (the magnitude of these two) or random, the sum of
    eight kernels of normal numbers; default: all. Nothing is padded: of 440 pixels 438 are left, with stride 2 219. A
    table has sizes and values; a FILE.png has the pictures, in a grid with their names, or that of a single FILTER.
    It takes pip install 'cnnzoo[filters]'.
    """
    drawn = drawn_ending(format_, output, [".png"])
    if apart and not drawn:
        raise click.UsageError("--apart is of pictures: give -o FILE.png")
    found = filters(picture, names or NAMES, grey=grey, size=size, stride=stride, seed=seed)
    if drawn:
        write(str(output), found.png(apart=apart))
    else:
        emit(found.document(), format_, output)
