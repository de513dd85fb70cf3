"""boto3: DynamoDB, SNS, SQS and STS of the run's endpoint."""

import os

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError
from report import check, contains, equal

TABLE = "clients-boto3"
ROWS = 120
KEY_ID = os.environ["AWS_ACCESS_KEY_ID"]

dynamodb = boto3.client("dynamodb")
sns = boto3.client("sns")
sqs = boto3.client("sqs")
table = boto3.resource("dynamodb").Table(TABLE)


def error_of(call):
    """The answer of a call that has to be refused."""
    try:
        call()
    except ClientError as error:
        return error.response
    raise AssertionError("expected an error, got an answer")


def code_of(call):
    return error_of(call)["Error"]["Code"]


@check("DynamoDB: CreateTable with an index, BatchWriteItem")
def _():
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("event_id", "event_timestamp", "event_status")
        ],
        KeySchema=[
            {"AttributeName": "event_id", "KeyType": "HASH"},
            {"AttributeName": "event_timestamp", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "time-index",
                "KeySchema": [
                    {"AttributeName": "event_status", "KeyType": "HASH"},
                    {"AttributeName": "event_timestamp", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    dynamodb.get_waiter("table_exists").wait(TableName=TABLE)
    with table.batch_writer() as batch:
        for number in range(ROWS):
            batch.put_item(
                {
                    "event_id": f"id {number}",
                    "event_timestamp": f"{number:04}",
                    "event_status": "even" if number % 2 == 0 else "odd",
                    "number": number,
                    "text": "ü \u0007 \U0001f600",
                    "bytes": bytes([0, 255]),
                    "list": [1, None, True, {"a": {1, 2}}],
                }
            )


@check("DynamoDB: GetItem gives every type back")
def _():
    item = table.get_item(Key={"event_id": "id 1", "event_timestamp": "0001"})["Item"]
    equal([item["number"], item["text"], bytes(item["bytes"].value)], [1, "ü \u0007 \U0001f600", b"\x00\xff"])
    equal(item["list"], [1, None, True, {"a": {1, 2}}])


@check("DynamoDB: Query by time-index, in both orders, with a filter, by pages")
def _():
    query = {"IndexName": "time-index", "KeyConditionExpression": Key("event_status").eq("even")}
    equal([item["number"] for item in table.query(**query)["Items"]], list(range(0, ROWS, 2)))
    last = table.query(**query, ScanIndexForward=False, Limit=2)
    equal([item["number"] for item in last["Items"]], [118, 116])
    after = table.query(**query, ScanIndexForward=False, Limit=1, ExclusiveStartKey=last["LastEvaluatedKey"])
    equal([item["number"] for item in after["Items"]], [114])
    between = Key("event_status").eq("even") & Key("event_timestamp").between("0010", "0020")
    few = table.query(**{**query, "KeyConditionExpression": between}, FilterExpression=Attr("number").gt(14))
    equal([item["number"] for item in few["Items"]], [16, 18, 20])


@check("DynamoDB: Scan by pages, in segments, counted")
def _():
    pages = dynamodb.get_paginator("scan").paginate(TableName=TABLE, PaginationConfig={"PageSize": 25})
    counts = [page["Count"] for page in pages]
    equal([sum(counts), max(counts)], [ROWS, 25])
    equal(sum(table.scan(Segment=part, TotalSegments=3, Select="COUNT")["Count"] for part in range(3)), ROWS)


@check("DynamoDB: UpdateItem with each ReturnValues")
def _():
    key = {"event_id": "id 2", "event_timestamp": "0002"}

    def update(returned):
        answer = table.update_item(
            Key=key,
            UpdateExpression="SET #n = #n + :one REMOVE #l[0]",
            ExpressionAttributeNames={"#n": "number", "#l": "list"},
            ExpressionAttributeValues={":one": 1},
            ReturnValues=returned,
        )
        return answer.get("Attributes")

    equal(update("NONE"), None)
    equal(update("UPDATED_OLD")["number"], 3)
    equal(update("UPDATED_NEW")["number"], 5)
    equal(update("ALL_OLD")["text"], "ü \u0007 \U0001f600")
    equal(update("ALL_NEW")["number"], 7)
    equal(table.delete_item(Key=key, ReturnValues="ALL_OLD")["Attributes"]["number"], 7)


@check("DynamoDB: a failed condition, with the item by ALL_OLD")
def _():
    key = {"event_id": "id 3", "event_timestamp": "0003"}
    condition = {
        "ConditionExpression": "attribute_not_exists(event_id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    calls = [
        lambda: table.put_item(Item=key, **condition),
        lambda: table.update_item(Key=key, UpdateExpression="SET a = event_id", **condition),
        lambda: table.delete_item(Key=key, **condition),
    ]
    for call in calls:
        answer = error_of(call)
        equal(answer["Error"]["Code"], "ConditionalCheckFailedException")
        equal(answer.get("Item", {}).get("number"), {"N": "3"})


@check("DynamoDB: transactions, or a clear refusal")
def _():
    key = {"event_id": {"S": "transacted"}, "event_timestamp": {"S": "1"}}
    put = {"Put": {"TableName": TABLE, "Item": key, "ConditionExpression": "attribute_not_exists(event_id)"}}
    try:
        dynamodb.transact_write_items(TransactItems=[put])
    except ClientError as error:
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 501), True)
        contains(error.response["Error"]["Message"], "TransactWriteItems")
        return
    items = dynamodb.transact_get_items(TransactItems=[{"Get": {"TableName": TABLE, "Key": key}}])
    equal(items["Responses"], [{"Item": key}])
    answer = error_of(lambda: dynamodb.transact_write_items(TransactItems=[put]))
    equal(answer["Error"]["Code"], "TransactionCanceledException")
    equal(answer["CancellationReasons"][0]["Code"], "ConditionalCheckFailed")


@check("DynamoDB: errors")
def _():
    equal(code_of(lambda: dynamodb.describe_table(TableName="clients-lacking")), "ResourceNotFoundException")
    equal(code_of(lambda: table.get_item(Key={"event_id": "1"})), "ValidationException")
    wrong = boto3.client("dynamodb", aws_access_key_id=KEY_ID, aws_secret_access_key="wrong")
    equal(code_of(wrong.list_tables), "InvalidSignatureException")
    unknown = boto3.client("dynamodb", aws_access_key_id="AKIAUNKNOWN", aws_secret_access_key="wrong")
    equal(code_of(unknown.list_tables), "UnrecognizedClientException")
    dynamodb.delete_table(TableName=TABLE)


@check("SQS: send, receive, attributes, batch, delete")
def _():
    url = sqs.create_queue(QueueName="clients-boto3")["QueueUrl"]
    equal(sqs.get_queue_url(QueueName="clients-boto3")["QueueUrl"], url)
    attributes = {"kind": {"DataType": "String", "StringValue": "ü"}, "raw": {"DataType": "Binary", "BinaryValue": b"\x00"}}
    sqs.send_message(QueueUrl=url, MessageBody="<one> & ü", MessageAttributes=attributes)
    [message] = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=5)["Messages"]
    equal(message["Body"], "<one> & ü")
    equal(message["MessageAttributes"], attributes)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    entries = [{"Id": str(number), "MessageBody": f"message {number}"} for number in range(10)]
    equal(len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]), 10)
    received = {}
    while len(received) < 10:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)["Messages"]:
            received[message["Body"]] = message["ReceiptHandle"]
    handles = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(received.values())]
    equal(len(sqs.delete_message_batch(QueueUrl=url, Entries=handles)["Successful"]), 10)
    equal(code_of(lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle="no handle")), "ReceiptHandleIsInvalid")
    sqs.delete_queue(QueueUrl=url)
    equal(code_of(lambda: sqs.get_queue_url(QueueName="clients-boto3")), "AWS.SimpleQueueService.NonExistentQueue")


@check("SNS: publish to a subscribed queue")
def _():
    url = sqs.create_queue(QueueName="clients-boto3-sns")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="clients-boto3")["TopicArn"]
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},'
        f'"Action":"sqs:SendMessage","Resource":"{queue}","Condition":{{"ArnEquals":{{"aws:SourceArn":"{topic}"}}}}}}]}}'
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    arn = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=queue,
        Attributes={"RawMessageDelivery": "true"},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    equal([item["SubscriptionArn"] for item in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]], [arn])
    sns.publish(TopicArn=topic, Message="<published> & ü", Subject="a subject")
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    equal(message["Body"], "<published> & ü")
    sns.unsubscribe(SubscriptionArn=arn)
    sns.delete_topic(TopicArn=topic)
    sqs.delete_queue(QueueUrl=url)
    equal(code_of(lambda: sns.publish(TopicArn=topic, Message="x")), "NotFound")


@check("SNS: a mail subscription is pending until confirmed")
def _():
    topic = sns.create_topic(Name="clients-boto3-mail")["TopicArn"]
    arn = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="clients@example.com")["SubscriptionArn"]
    equal(arn.lower().replace(" ", ""), "pendingconfirmation")
    sns.delete_topic(TopicArn=topic)


@check("STS: GetCallerIdentity")
def _():
    identity = boto3.client("sts").get_caller_identity()
    equal(identity["Account"], "000000000000")
    contains(identity["Arn"], "arn:aws:")
    wrong = boto3.client("sts", aws_access_key_id=KEY_ID, aws_secret_access_key="wrong")
    equal(code_of(wrong.get_caller_identity), "SignatureDoesNotMatch")


@check("operations that are not served are refused, in the service's own protocol")
def _():
    for client, call in (
        (sns, lambda: sns.create_platform_application(Name="x", Platform="GCM", Attributes={})),
        (sqs, lambda: sqs.list_message_move_tasks(SourceArn="arn:aws:sqs:us-east-1:000000000000:q")),
        (dynamodb, lambda: dynamodb.execute_statement(Statement="SELECT * FROM x")),
        (None, lambda: boto3.client("iam").list_users()),
        (None, lambda: boto3.client("cloudformation").list_stacks()),
        (None, lambda: boto3.client("ec2").describe_instances()),
    ):
        answer = error_of(call)
        # botocore reads an answer in another protocol as a code of digits without a message.
        equal(answer["Error"]["Code"].isdigit() or not answer["Error"].get("Message"), False, str(answer["Error"]))
