"""What counts as an incident: pure functions of tracks and time."""
