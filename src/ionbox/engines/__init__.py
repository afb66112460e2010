"""Simulation methods behind one port: a circuit, its shots and a seed become an outcome."""
