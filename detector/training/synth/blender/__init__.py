"""What needs ``bpy``: the ground, the things, the light, and rendering a scene."""
