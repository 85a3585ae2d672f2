"""What the dispatch service decides: pure functions, no database, no network, no clock."""
