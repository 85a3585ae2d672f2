"""Identity over time: which box is which object, and since when it has stood still."""

from detector.tracking.association import kind_of
from detector.tracking.tracker import CameraTracker

__all__ = ["CameraTracker", "kind_of"]
