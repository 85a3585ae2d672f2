"""Renders the sample clips with Blender's Cycles and writes their ground truth.

Only ``blender`` (a subpackage) needs ``bpy``; everything else is plain Python.
"""
