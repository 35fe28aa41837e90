"""What networks compute, in numpy alone: each function forward and backward, equal to torch's.

Arrays keep their dtype, float32 or float64; whole numbers become float64. What does not fit is a `ShapeError`.
"""

from . import arrays as arrays  # first: it says where numpy is missing
from .functions import (
    cross_entropy,
    cross_entropy_backward,
    linear,
    linear_backward,
    relu,
    relu_backward,
    softmax,
    softmax_backward,
)
from .gradients import BACKWARDS, gradient_check, numerical_gradient, run_backward
from .layers import FORWARDS
from .network import run
from .windows import (
    avg_pool2d,
    avg_pool2d_backward,
    col2im,
    conv2d,
    conv2d_backward,
    conv_transpose2d,
    im2col,
    max_pool2d,
    max_pool2d_backward,
    windows,
)

__all__ = [
    "BACKWARDS",
    "FORWARDS",
    "avg_pool2d",
    "avg_pool2d_backward",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "conv_transpose2d",
    "cross_entropy",
    "cross_entropy_backward",
    "gradient_check",
    "im2col",
    "linear",
    "linear_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "numerical_gradient",
    "relu",
    "relu_backward",
    "run",
    "run_backward",
    "softmax",
    "softmax_backward",
    "windows",
]
