"""Backups: one archive file of the dispatch service's data, taken while it runs, and back again."""
