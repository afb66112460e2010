"""The one core: every use case once, without HTTP, SQL or processes."""
