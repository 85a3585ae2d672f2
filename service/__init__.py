"""Running: configuration, daemon, dispatch service, command line."""
