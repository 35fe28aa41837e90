"""Descriptions as `torch.nn.Module`s: forwards, initialisation, features and checkpoints."""
