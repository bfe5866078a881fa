"""How fast a search is, without the question's embedding."""
