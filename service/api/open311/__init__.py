"""Open311 GeoReport v2 under ``/open311/v2``: what citizens' apps speak."""

from service.api.open311.routes import install

__all__ = ["install"]
