"""What must not be lost: the uploaded files, the tables, the signing key."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct
from haylift.domain.quarantine import QUARANTINE_PREFIX

from stacks.acknowledgements import acknowledge
from stacks.environment import Environment

OLD_VERSIONS_DAYS = 30
"""How long a replaced or deleted file can be brought back."""

QUARANTINE_DAYS = 30
"""How long a rejected file can be looked at in the quarantine."""

ACCESS_LOG_DAYS = 90

BY_UPDATED = "by_updated"
OPEN_DOCUMENTS = "open_documents"
EXPIRES_AT = "expires_at"
FORGET_AT = "forget_at"
"""Ends the ledger's tombstones; its `expires_at` is when a document ends, and the row must outlive that."""

CHANGES = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES
STRING = dynamodb.AttributeType.STRING
NUMBER = dynamodb.AttributeType.NUMBER


class StorageStack(cdk.Stack):
    """Bucket, tables and key; the other stacks get them as attributes."""

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, environment.name_of("storage"))
        self._environment = environment
        self._access_log = self._access_log_bucket()
        self.uploads = self._upload_bucket()
        self.users = self._table("Users", _key("username"))
        self.tokens = self._tokens()
        self.tenants = self._table("Tenants", _key("tenant"))
        self.ledger = self._ledger()
        self.feedback = self._table("Feedback", _key("tenant"), sort_key=_key("rating_id"), ttl=EXPIRES_AT)
        self.receipts = self._table("Receipts", _key("tenant"), sort_key=_key("receipt_id"), ttl=EXPIRES_AT)
        self.audit = self._audit_bucket()
        self.audit_log = self._audit_log()
        self.signing_key = self._signing_key()
        self._outputs()

    def _access_log_bucket(self) -> s3.Bucket:
        access_log = s3.Bucket(
            self,
            "AccessLog",
            **self._closed(),
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(ACCESS_LOG_DAYS))],
        )
        acknowledge(
            access_log, "S1", "This bucket takes the access log; logging its own writes would never end."
        )
        return access_log

    def _upload_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "UploadBucket",
            **self._closed(),
            versioned=True,
            server_access_logs_bucket=self._access_log,
            server_access_logs_prefix="uploads/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    noncurrent_version_expiration=cdk.Duration.days(OLD_VERSIONS_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
                ),
                # Rejected files wait here for somebody to look at them; the original is untouched.
                s3.LifecycleRule(
                    prefix=QUARANTINE_PREFIX,
                    expiration=cdk.Duration.days(QUARANTINE_DAYS),
                    noncurrent_version_expiration=cdk.Duration.days(1),
                ),
                s3.LifecycleRule(prefix=QUARANTINE_PREFIX, expired_object_delete_marker=True),
            ],
        )
        self._send_events(bucket)
        return bucket

    def _audit_bucket(self) -> s3.Bucket:
        """In prod with Object Lock in its strictest mode: not even root ends a record before time."""
        days = self._environment.audit_lock_days
        lock = s3.ObjectLockRetention.compliance(cdk.Duration.days(days)) if days else None
        return s3.Bucket(
            self,
            "AuditBucket",
            **{**self._closed(), "removal_policy": cdk.RemovalPolicy.RETAIN},
            versioned=True,
            object_lock_enabled=True if lock else None,
            object_lock_default_retention=lock,
            server_access_logs_bucket=self._access_log,
            server_access_logs_prefix="audit/",
        )

    def _audit_log(self) -> logs.LogGroup:
        """The same records for people; the bucket is the one that keeps them."""
        return logs.LogGroup(
            self,
            "AuditLog",
            log_group_name=f"/haylift/{self._environment.stage}/audit",
            retention=self._environment.log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _closed(self) -> dict[str, Any]:
        return {
            "block_public_access": s3.BlockPublicAccess.BLOCK_ALL,
            "encryption": s3.BucketEncryption.S3_MANAGED,
            "enforce_ssl": self._environment.tls_only,
            "removal_policy": self._environment.removal,
        }

    @staticmethod
    def _send_events(bucket: s3.Bucket) -> None:
        """On the CloudFormation resource: the property of the construct adds a function of CDK's own."""
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )

    def _tokens(self) -> dynamodb.Table:
        return self._table("Tokens", _key("token_hash"), ttl=EXPIRES_AT)

    def _ledger(self) -> dynamodb.Table:
        table = self._table(
            "Ledger", _key("tenant"), sort_key=_key("document_id"), ttl=FORGET_AT, stream=CHANGES
        )
        table.add_global_secondary_index(
            index_name=BY_UPDATED, partition_key=_key("tenant"), sort_key=_key("updated_at", NUMBER)
        )
        # Sparse: only rows with work left carry `open_tenant`, so that counting a lane's reads nothing else.
        table.add_global_secondary_index(
            index_name=OPEN_DOCUMENTS,
            partition_key=_key("open_tenant"),
            sort_key=_key("lane"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        return table

    def _table(
        self,
        name: str,
        key: dynamodb.Attribute,
        *,
        sort_key: dynamodb.Attribute | None = None,
        ttl: str | None = None,
        stream: dynamodb.StreamViewType | None = None,
    ) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            name,
            partition_key=key,
            sort_key=sort_key,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=ttl,
            stream=stream,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=self._environment.point_in_time_recovery
            ),
            removal_policy=self._environment.removal,
        )

    def _signing_key(self) -> kms.Key:
        return kms.Key(
            self,
            "SigningKey",
            description="Signs Haylift's access tokens (ES256); the private key never leaves KMS",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=self._environment.removal,
        )

    def _outputs(self) -> None:
        values_by_key = {
            "UploadBucketName": self.uploads.bucket_name,
            "UsersTableName": self.users.table_name,
            "TokensTableName": self.tokens.table_name,
            "LedgerTableName": self.ledger.table_name,
            "TenantsTableName": self.tenants.table_name,
            "FeedbackTableName": self.feedback.table_name,
            "AuditBucketName": self.audit.bucket_name,
            "AuditLogGroupName": self.audit_log.log_group_name,
            "SigningKeyId": self.signing_key.key_id,
        }
        for key, value in values_by_key.items():
            cdk.CfnOutput(self, key, value=value)


def _key(name: str, kind: dynamodb.AttributeType = STRING) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=kind)
