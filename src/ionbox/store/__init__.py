"""What is remembered, in SQL."""
