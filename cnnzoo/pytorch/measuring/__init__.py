"""Any `torch.nn.Module` as a report, by running a copy of it on the meta device."""
