"""The main job on the sample videos, with every part of it really running."""
