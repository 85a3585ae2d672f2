"""The detector daemon: cameras in, incidents out, nothing lost in between."""
