"""Any `torch.nn.Module` as the description that it is."""

from .describe import DescribedAtOneSizeWarning, describe
from .events import TracingError

__all__ = ["DescribedAtOneSizeWarning", "TracingError", "describe"]
