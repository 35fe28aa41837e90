"""Any `torch.nn.Module` as the description that it is."""

from .describe import describe
from .events import TracingError

__all__ = ["TracingError", "describe"]
