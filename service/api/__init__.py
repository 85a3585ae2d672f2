"""The dispatch service's HTTP interface: for detectors, integrators and the console."""
