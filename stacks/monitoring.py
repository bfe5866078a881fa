"""The alarms of the catalogue and the dashboard, in one stack that is made last."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from stacks.alarms.catalogue import catalogue
from stacks.alarms.descriptions import description_of
from stacks.alarms.parts import AlarmSpec, Missing, Rings, Severity, Watch
from stacks.announcements import AnnouncementsStack
from stacks.audit import AuditStack
from stacks.dashboard import OperatorsDashboard
from stacks.environment import Environment
from stacks.ingestion import IngestionStack
from stacks.metrics import StageMetrics
from stacks.on_call import OnCall
from stacks.search_api import SearchApiStack

OPERATORS = {
    Rings.ABOVE: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    Rings.BELOW: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
}
MISSING_DATA = {
    Missing.QUIET: cloudwatch.TreatMissingData.NOT_BREACHING,
    Missing.ALARMING: cloudwatch.TreatMissingData.BREACHING,
    Missing.KEEP: cloudwatch.TreatMissingData.IGNORE,
}
PART = "PART"
"""First word of an alarm that tells nobody by itself."""


class MonitoringStack(cdk.Stack):
    """Alarms are named `haylift-<stage>-<alarm>`, with `/<variant>` where an alarm watches several things."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        api: SearchApiStack,
        ingestion: IngestionStack,
        audit: AuditStack,
        announcements: AnnouncementsStack,
    ) -> None:
        super().__init__(scope, environment.name_of("monitoring"))
        self._environment = environment
        self._metrics = StageMetrics(environment)
        # Alarms name what they watch, so nothing may be watched before it is there.
        for stack in (api, ingestion, audit, announcements):
            self.add_stack_dependency(stack)
        self._on_call = OnCall(self, environment)
        functions = sorted({*api.functions, *ingestion.functions, *audit.functions, *announcements.functions})
        specs = catalogue(environment, functions)
        alarms = [alarm for spec in specs for alarm in self._add(spec)]
        OperatorsDashboard(self, environment, specs=specs, functions=functions, alarms=alarms)
        for severity, topic in self._on_call.topics.items():
            cdk.CfnOutput(self, f"{severity.value.capitalize()}TopicArn", value=topic.topic_arn)
        cdk.CfnOutput(self, "OnCallInboxUrl", value=self._on_call.inbox.queue_url)

    def _add(self, spec: AlarmSpec) -> list[cloudwatch.AlarmBase]:
        """Makes the alarms of a symptom; gives those that tell somebody."""
        alarms = {watch.variant: self._alarm(spec, watch) for watch in spec.watches}
        if spec.together:
            whole = self._composite(spec, alarms)
            self._tell(whole, spec.severity)
            return [whole]
        for watch in spec.watches:
            self._tell(alarms[watch.variant], spec.severity_of(watch))
        return list(alarms.values())

    def _alarm(self, spec: AlarmSpec, watch: Watch) -> cloudwatch.Alarm:
        name = f"{spec.name}/{watch.variant}" if watch.variant else spec.name
        first_word = PART if spec.together else spec.severity_of(watch).name
        return cloudwatch.Alarm(
            self,
            name.replace("/", "-"),
            alarm_name=self._environment.name_of(name),
            alarm_description=self._description(spec, first_word),
            metric=self._metrics.of_watch(watch, label=name if watch.expression else None),
            threshold=watch.threshold,
            comparison_operator=OPERATORS[watch.rings],
            evaluation_periods=watch.periods,
            datapoints_to_alarm=watch.breaching,
            treat_missing_data=MISSING_DATA[watch.missing],
        )

    def _composite(self, spec: AlarmSpec, parts: dict[str, cloudwatch.Alarm]) -> cloudwatch.CompositeAlarm:
        """Rings when all parts of any group do."""
        groups = [
            cloudwatch.AlarmRule.all_of(*(self._is_ringing(parts[variant]) for variant in group))
            for group in spec.together
        ]
        return cloudwatch.CompositeAlarm(
            self,
            spec.name,
            composite_alarm_name=self._environment.name_of(spec.name),
            alarm_description=self._description(spec, spec.severity.name),
            alarm_rule=cloudwatch.AlarmRule.any_of(*groups),
        )

    @staticmethod
    def _is_ringing(alarm: cloudwatch.Alarm) -> cloudwatch.IAlarmRule:
        return cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM)

    def _description(self, spec: AlarmSpec, first_word: str) -> str:
        return description_of(spec.name, first_word=first_word, stage=self._environment.stage)

    def _tell(self, alarm: cloudwatch.AlarmBase, severity: Severity) -> None:
        """Also when it is over: whoever was woken may sleep again."""
        action = actions.SnsAction(self._on_call.topics[severity])
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)
