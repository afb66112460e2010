"""What a machine is: data and pure functions."""
