"""Engines that are measured side by side, each in a process of its own; see `worker`.

Nothing but `ours` may import ionbox: the others live in an environment without it.
"""
