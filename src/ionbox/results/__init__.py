"""Where outcomes too large for a row of the store lie."""
