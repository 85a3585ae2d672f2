"""Renders street pictures with exact boxes, for classes that few photographs show.

Everything but ``blender`` (a subpackage) is plain Python and numpy; ``blender`` needs ``bpy`` and,
from the repository, ``sample_videos.render``: see "Rendered pictures" in docs/models/training.md.
"""
