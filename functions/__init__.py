"""The Lambda functions, one folder each: contract, app, handler."""
