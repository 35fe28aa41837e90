"""What needs torch: networks as modules, their checkpoints, and the measurement of any module."""
