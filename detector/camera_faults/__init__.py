"""Is the camera well: moved, covered, sprayed, defocused, black, overexposed, frozen, offline."""
