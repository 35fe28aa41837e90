"""What the package does with descriptions and reports: one package for each feature, named as its command."""
