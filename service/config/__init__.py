"""The city's YAML file: read, checked completely, and turned into ``models.city.City``."""

from service.config.loader import load_city

__all__ = ["load_city"]
