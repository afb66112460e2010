"""Text and JSON to circuit and back; results to JSON."""
