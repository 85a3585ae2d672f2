"""What needs ``bpy``: materials, the street, the actors, and rendering them."""
