"""What a circuit is: frozen values, the table of gates, and an oracle to test engines against."""
