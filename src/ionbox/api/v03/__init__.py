"""The face v0.3 of IonQ's API."""
