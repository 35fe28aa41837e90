"""Any `torch.nn.Module` as the description that it is."""

from .describe import DescribedAtOneSizeWarning, describe
from .events import TracingError
from .limits import why_not

__all__ = ["DescribedAtOneSizeWarning", "TracingError", "describe", "why_not"]
