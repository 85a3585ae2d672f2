"""How many cameras a machine will carry: streams, what they cost here, and what follows from it."""
