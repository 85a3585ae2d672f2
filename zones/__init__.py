"""What counts as an incident: tracks and their times in, changes of incidents out. Pure."""
