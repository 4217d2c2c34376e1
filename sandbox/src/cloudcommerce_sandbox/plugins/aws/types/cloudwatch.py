"""CloudWatch log groups and alarms."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.checks import conflicts
from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import POLICY, UNORDERED, Convert, pairs
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType, Run
from cloudcommerce_sandbox.plugins.aws.tagging import arn_tags

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_GROUP = {"logGroupName": "{id}"}
_WITHOUT_STAR = Convert(read=lambda arn: arn.removesuffix(":*"))


def _retain(context: Context) -> None:
    if days := context.inputs.get("retentionInDays"):
        context.call("put_retention_policy", logGroupName=context.id, retentionInDays=days)
    else:
        context.call("delete_retention_policy", logGroupName=context.id)


def _encrypt(context: Context) -> None:
    if key := context.inputs.get("kmsKeyId"):
        context.call("associate_kms_key", logGroupName=context.id, kmsKeyId=key)
    else:
        context.call("disassociate_kms_key", logGroupName=context.id)


def _kept(context: Context) -> bool:
    return not context.inputs.get("skipDestroy")


_RETENTION = Run(_retain, on=("retentionInDays",))

LOG_GROUP = ResourceType(
    pulumi_type="aws:cloudwatch/logGroup:LogGroup",
    service="logs",
    docs=f"{_DOCS}/cloudwatch_log_group",
    id=Id(template="{name}"),
    create=(Call("create_log_group"), _RETENTION),
    read=Read(
        "describe_log_groups",
        set={"logGroupNamePrefix": "{id}"},
        item="logGroups[?logGroupName=='{id}'] | [0]",
    ),
    update=(_RETENTION, Run(_encrypt, on=("kmsKeyId",))),
    delete=(Call("delete_log_group", set=_GROUP, when=_kept),),
    name=Name(prefix="namePrefix", max_length=512, allowed="a-zA-Z0-9/_.#-"),
    tags=arn_tags(list_operation="list_tags_for_resource"),
    fields={
        "name": Field("logGroupName"),
        "arn": Field(convert=_WITHOUT_STAR),
        "retentionInDays": Field(default=0, absent=0),
        "kmsKeyId": Field(default=None, absent=None),
        "logGroupClass": Field(absent="STANDARD"),
        "skipDestroy": Field(default=False),
    },
    force_new=("name", "namePrefix", "logGroupClass"),
    local=("skipDestroy",),
    unsupported={"deletionProtectionEnabled": "deletion protection of log groups"},
)

LOG_RESOURCE_POLICY = ResourceType(
    pulumi_type="aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
    service="logs",
    docs=f"{_DOCS}/cloudwatch_log_resource_policy",
    id=Id(template="{policyName}"),
    create=(Call("put_resource_policy", item="resourcePolicy"),),
    read=Read("describe_resource_policies", item="resourcePolicies[?policyName=='{id}'] | [0]"),
    update=(Call("put_resource_policy", on=("policyDocument",), full=True),),
    delete=(Call("delete_resource_policy", set={"policyName": "{id}"}),),
    fields={"policyDocument": Field(convert=POLICY), "policyName": Field(default=None)},
    force_new=("policyName",),
    no_output=("policyScope", "revisionId"),
    unsupported={"resourceArn": "policies of a single log group"},
)

_ALARM_TAGS = arn_tags(
    member="Tags",
    shape=("Key", "Value"),
    arn_member="ResourceARN",
    keys_member="TagKeys",
    tag_member="Tags",
    list_operation="list_tags_for_resource",
    list_item="Tags",
)

# An alarm is put as a whole: what is taken out of the program is not sent.
_PUT_OR_NOT = (
    "alarmDescription",
    "comparisonOperator",
    "datapointsToAlarm",
    "evaluationPeriods",
    "extendedStatistic",
    "metricName",
    "namespace",
    "period",
    "statistic",
    "threshold",
    "thresholdMetricId",
    "unit",
)

METRIC_ALARM = ResourceType(
    pulumi_type="aws:cloudwatch/metricAlarm:MetricAlarm",
    service="cloudwatch",
    docs=f"{_DOCS}/cloudwatch_metric_alarm",
    id=Id(template="{name}"),
    create=(Call("put_metric_alarm"),),
    read=Read("describe_alarms", set={"AlarmNames": ["{id}"]}, item="MetricAlarms[0]"),
    update=(Call("put_metric_alarm", full=True),),
    delete=(Call("delete_alarms", set={"AlarmNames": ["{id}"]}),),
    name=Name(max_length=255),
    tags=_ALARM_TAGS,
    fields={
        **{name: Field(default=None) for name in _PUT_OR_NOT},
        "name": Field("AlarmName"),
        "arn": Field(read="AlarmArn"),
        "actionsEnabled": Field(default=True),
        "alarmActions": Field(convert=UNORDERED),
        "okActions": Field("OKActions", convert=UNORDERED),
        "insufficientDataActions": Field(convert=UNORDERED),
        "dimensions": Field(convert=pairs()),
        "metricQueries": Field("Metrics"),
        "metricQueries.metric": Field("MetricStat"),
        "metricQueries.metric.namespace": Field("Metric.Namespace"),
        "metricQueries.metric.metricName": Field("Metric.MetricName"),
        "metricQueries.metric.dimensions": Field("Metric.Dimensions", convert=pairs()),
        "treatMissingData": Field(default="missing"),
        "evaluateLowSampleCountPercentiles": Field("EvaluateLowSampleCountPercentile"),
    },
    force_new=("name",),
    check=(conflicts("metricName", "metricQueries"), conflicts("statistic", "extendedStatistic")),
    unsupported={
        "evaluationCriteria": "alarms on PromQL queries",
        "evaluationInterval": "alarms on PromQL queries",
        "evaluationWindow": "alarms on PromQL queries",
        "warmUpConfiguration": "warm-up periods",
    },
)

COMPOSITE_ALARM = ResourceType(
    pulumi_type="aws:cloudwatch/compositeAlarm:CompositeAlarm",
    service="cloudwatch",
    docs=f"{_DOCS}/cloudwatch_composite_alarm",
    id=Id(template="{alarmName}"),
    create=(Call("put_composite_alarm"),),
    read=Read(
        "describe_alarms",
        set={"AlarmNames": ["{id}"], "AlarmTypes": ["CompositeAlarm"]},
        item="CompositeAlarms[0]",
    ),
    update=(Call("put_composite_alarm", full=True),),
    delete=(Call("delete_alarms", set={"AlarmNames": ["{id}"]}),),
    tags=_ALARM_TAGS,
    fields={
        "arn": Field(read="AlarmArn"),
        "actionsEnabled": Field(default=True),
        "alarmActions": Field(convert=UNORDERED),
        "okActions": Field("OKActions", convert=UNORDERED),
        "insufficientDataActions": Field(convert=UNORDERED),
        "alarmDescription": Field(default=None),
        "actionsSuppressor": Field(""),
        "actionsSuppressor.alarm": Field("ActionsSuppressor"),
        "actionsSuppressor.extensionPeriod": Field("ActionsSuppressorExtensionPeriod"),
        "actionsSuppressor.waitPeriod": Field("ActionsSuppressorWaitPeriod"),
    },
    force_new=("alarmName", "actionsEnabled"),
)

TYPES = (LOG_GROUP, LOG_RESOURCE_POLICY, METRIC_ALARM, COMPOSITE_ALARM)
