"""The domain model: pure values, no input or output."""
