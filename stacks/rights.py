"""Rights on tables, by what a function does with them. DynamoDB checks a transaction by its single writes."""

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb

READ = ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query")
WRITE = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem")

READ_OBJECTS = ("s3:GetObject", "s3:GetObjectVersion")
PURGE_OBJECTS = ("s3:DeleteObjectVersion", "s3:GetObjectLegalHold", "s3:GetObjectRetention")
LIST_VERSIONS = ("s3:ListBucketVersions", "s3:GetBucketObjectLockConfiguration")
READ_TAGS = "s3:GetObjectVersionTagging"
LIST_OBJECTS = ("s3:ListBucket",)
"""Without it S3 answers 403 where an object is missing, and a lost file looks like a lost right."""


def arns(table: dynamodb.ITable, indexes: Sequence[str] = ()) -> list[str]:
    """The table, and the named indexes of it."""
    return [table.table_arn, *[f"{table.table_arn}/index/{name}" for name in indexes]]
