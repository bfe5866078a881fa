"""Dynamic batching: many callers, one model run after the other, one outcome for every request."""
