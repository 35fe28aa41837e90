"""Files of weights, without torch: what is in one, which network it fits, and where torchvision's are."""
