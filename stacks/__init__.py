"""The CDK stacks: one app for a machine of one's own and for AWS, told apart by `environments.py` only."""
