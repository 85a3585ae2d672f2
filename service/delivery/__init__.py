"""Webhooks: signed, in order, tried again for days, never in anybody's way."""
