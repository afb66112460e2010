"""Every figure that ionbox quotes, measured."""
