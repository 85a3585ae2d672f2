"""Weights: which there are, where they lie, and that they are what the registry says."""
