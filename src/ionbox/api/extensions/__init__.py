"""What ionbox adds, under `/ionbox/v1/`."""
