"""Networks that find boxes in pictures; the only importers of OpenVINO and ultralytics."""

from detector.backends.facts import model_facts
from detector.backends.loading import load_detector
from detector.backends.protocol import Detector
from detector.backends.scripted import ScriptedDetector

__all__ = ["Detector", "ScriptedDetector", "load_detector", "model_facts"]
