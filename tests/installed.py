"""What is installed here."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution


def with_dependencies(name: str, found: dict[str, Distribution]) -> dict[str, Distribution]:
    """A distribution and all that it needs of what is installed here."""
    if name not in found:
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # needed on another system or by another Python
            return found
        for need in found[name].requires or ():
            if "extra ==" not in need:
                with_dependencies(re.match(r"[\w.-]+", need)[0].lower(), found)
    return found
