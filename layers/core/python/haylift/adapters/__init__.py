"""One module per foreign system; foreign errors are translated here, once."""
