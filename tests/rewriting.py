"""Every rewrite, with every option that is tried."""

from collections.abc import Iterator

from cnnzoo.arch import Shape
from cnnzoo.rewrites import Rewrite, get_rewrite, list_rewrites

OPTIONS = {
    "scale_width": ("=0.5", "=1.5", "=0.1"),
    "scale_depth": ("=2", "=0.5"),
    "drop_reductions": ("", "=every"),
    "factorise": ("", "=1xn"),
    "convolutionalize": ("", "=slide", "=keep"),
}
"""What is tried of the rewrites that take an option."""

RESIZING = {
    *("scale_width", "scale_depth", "add_for_concat", "convolutionalize", "pool_head"),
    *("stride_on_1x1", "stride_on_3x3", "warp_regions"),
}
"""The rewrites that may change the shapes that layers give; of the others each keeps them all."""


def every(size: Shape = (3, 32, 32)) -> Iterator[Rewrite]:
    """Each registered rewrite, with each option that is tried, for networks of this input size."""
    for name in list_rewrites():
        for option in OPTIONS.get(name, ("",)):
            yield get_rewrite(name + option, size)
