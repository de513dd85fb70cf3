package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func text(value string) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: value}
}

func checkServices(settings aws.Config) {
	name := aws.String("clients-go")
	check("DynamoDB: create, put, query the index, scan, update, a failed condition", func() error {
		client := dynamodb.NewFromConfig(settings)
		attribute := func(name string) types.AttributeDefinition {
			return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
		}
		key := func(name string, kind types.KeyType) types.KeySchemaElement {
			return types.KeySchemaElement{AttributeName: &name, KeyType: kind}
		}
		if _, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
			TableName:            name,
			BillingMode:          types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{attribute("id"), attribute("status"), attribute("time")},
			KeySchema:            []types.KeySchemaElement{key("id", types.KeyTypeHash)},
			GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
				IndexName:  aws.String("time-index"),
				KeySchema:  []types.KeySchemaElement{key("status", types.KeyTypeHash), key("time", types.KeyTypeRange)},
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			}},
		}); err != nil {
			return err
		}
		waiter := dynamodb.NewTableExistsWaiter(client)
		if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: name}, time.Minute); err != nil {
			return err
		}
		for _, id := range []string{"3", "1", "2"} {
			item := map[string]types.AttributeValue{"id": text(id), "status": text("new"), "time": text(id)}
			if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item}); err != nil {
				return err
			}
		}
		query, err := client.Query(ctx, &dynamodb.QueryInput{
			TableName:                 name,
			IndexName:                 aws.String("time-index"),
			KeyConditionExpression:    aws.String("#s = :s"),
			ExpressionAttributeNames:  map[string]string{"#s": "status"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":s": text("new")},
		})
		if err != nil {
			return err
		}
		var ids string
		for _, item := range query.Items {
			ids += item["id"].(*types.AttributeValueMemberS).Value
		}
		scanned := 0
		pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: name, Limit: aws.Int32(1)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			scanned += len(page.Items)
		}
		one := map[string]types.AttributeValue{"id": text("1")}
		updated, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 name,
			Key:                       one,
			UpdateExpression:          aws.String("ADD n :n"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "7"}},
			ReturnValues:              types.ReturnValueUpdatedNew,
		})
		if err != nil {
			return err
		}
		_, err = client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName:                           name,
			Key:                                 one,
			ConditionExpression:                 aws.String("attribute_not_exists(id)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			return fmt.Errorf("expected a failed condition, got %v", err)
		}
		_, lacking := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("clients-lacking")})
		return errors.Join(
			equal(ids, "123", "the query"),
			equal(scanned, 3, "the scanned items"),
			equal(updated.Attributes["n"], any(&types.AttributeValueMemberN{Value: "7"}), "the update"),
			equal(len(failed.Item), 4, "the attributes of the item of the failed condition"),
			refused("ResourceNotFoundException", lacking),
		)
	})
	check("SQS and SNS: send, receive, delete; subscribe and publish", func() error {
		queues := sqs.NewFromConfig(settings)
		topics := sns.NewFromConfig(settings)
		queue, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name})
		if err != nil {
			return err
		}
		attributes, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
		if err != nil {
			return err
		}
		arn := attributes.Attributes["QueueArn"]
		policy := `{"Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `"}]}`
		if _, err := queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: queue.QueueUrl, Attributes: map[string]string{"Policy": policy}}); err != nil {
			return err
		}
		topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: name})
		if err != nil {
			return err
		}
		if _, err := topics.Subscribe(ctx, &sns.SubscribeInput{
			TopicArn:   topic.TopicArn,
			Protocol:   aws.String("sqs"),
			Endpoint:   &arn,
			Attributes: map[string]string{"RawMessageDelivery": "true"},
		}); err != nil {
			return err
		}
		receive := func() (string, error) {
			answer, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, WaitTimeSeconds: 5})
			if err != nil || len(answer.Messages) != 1 {
				return "", errors.Join(err, fmt.Errorf("got %d messages", len(answer.Messages)))
			}
			message := answer.Messages[0]
			_, err = queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue.QueueUrl, ReceiptHandle: message.ReceiptHandle})
			return *message.Body, err
		}
		if _, err := queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("sent <ü>")}); err != nil {
			return err
		}
		sent, err := receive()
		if err != nil {
			return err
		}
		if _, err := topics.Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("published <ü>")}); err != nil {
			return err
		}
		published, err := receive()
		if err != nil {
			return err
		}
		_, noTopic := topics.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: topic.TopicArn})
		_, noQueue := queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: queue.QueueUrl})
		return errors.Join(noTopic, noQueue, equal(sent, "sent <ü>", "the message"), equal(published, "published <ü>", "the notification"))
	})
	check("STS: GetCallerIdentity", func() error {
		identity, err := sts.NewFromConfig(settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return err
		}
		return equal(*identity.Account, "000000000000", "the account")
	})
}
