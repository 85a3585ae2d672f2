"""Short rendered clips with exact ground truth, and the scripts that make them."""
