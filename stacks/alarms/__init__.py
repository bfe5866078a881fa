"""What can be wrong, as its users would say it: one catalogue for alarms, dashboard and runbooks."""
