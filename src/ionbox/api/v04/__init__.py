"""The face v0.4 of IonQ's API."""
