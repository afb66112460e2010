"""The service over HTTP: one face for each version of IonQ's API, and ionbox's own."""
