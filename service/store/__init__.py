"""What the dispatch service remembers: SQLite or PostgreSQL for facts, a folder for pictures."""
