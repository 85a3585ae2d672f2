"""New things in a static background that no network has named."""
