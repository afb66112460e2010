"""From gates of the gateset qis to the pulses of a device; what a circuit provably conserves."""
