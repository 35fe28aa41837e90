"""The papers' arguments as functions from description to description: `drop_reductions(googlenet.describe())`.

Nothing is mutated, names persist, channels follow by themselves, and what does not apply says why.
"""

from .depth import scale_depth
from .fusion import fuse_batchnorm
from .heads import convolutionalize, pool_head, strip_aux
from .kernels import depthwise_separable, factorise, merge_separable, merge_stacks, ungroup
from .meetings import add_for_concat, drop_gates, drop_shortcuts
from .parallel import reparameterize
from .pointwise import drop_reductions, stride_on_1x1, stride_on_3x3, widen_1x1
from .regions import warp_regions
from .registry import (
    DoesNotApply,
    Rewrite,
    UnknownRewriteError,
    apply,
    get_rewrite,
    list_rewrites,
    register_rewrite,
    registered,
)
from .scaling import scale_width

__all__ = [
    "DoesNotApply",
    "Rewrite",
    "UnknownRewriteError",
    "add_for_concat",
    "apply",
    "convolutionalize",
    "depthwise_separable",
    "drop_gates",
    "drop_reductions",
    "drop_shortcuts",
    "factorise",
    "fuse_batchnorm",
    "get_rewrite",
    "list_rewrites",
    "merge_separable",
    "merge_stacks",
    "pool_head",
    "register_rewrite",
    "registered",
    "reparameterize",
    "scale_depth",
    "scale_width",
    "stride_on_1x1",
    "stride_on_3x3",
    "strip_aux",
    "ungroup",
    "warp_regions",
    "widen_1x1",
]
