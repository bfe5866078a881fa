"""What Haylift speaks about: pure values and rules, no SDK and no framework."""
