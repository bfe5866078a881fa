"""Use cases: each service is a verb and knows only the domain and the ports."""
