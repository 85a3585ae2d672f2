"""Seeing: readers, decoding, detection, tracking, evidence."""
