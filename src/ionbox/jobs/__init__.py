"""What a job is: its record and its lifecycle, pure."""
