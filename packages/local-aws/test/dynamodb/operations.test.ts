import * as dynamodb from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { dynamoDbApi } from "../../dynamodb/service";
import { ACCOUNT, REGION } from "../gateway/capture";
import { type Act, needs, refused, target } from "../gateway/grants";

const tableArn = (name: string): string => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
const EVENTS = tableArn("events");
const table = { TableName: "events" };
const id = { event_id: { S: "1" } };

describe("the grants of a DynamoDB call", () => {
  const cases: [act: Act, expected: string][] = [
    [
      (clients) => clients.dynamodb.send(new dynamodb.PutItemCommand({ ...table, Item: id })),
      `dynamodb:PutItem: dynamodb:PutItem ${EVENTS}`,
    ],
    [
      (clients) =>
        clients.dynamodb.send(new dynamodb.GetItemCommand({ TableName: EVENTS, Key: id })),
      `dynamodb:GetItem: dynamodb:GetItem ${EVENTS}`,
    ],
    [
      (clients) => clients.dynamodb.send(new dynamodb.QueryCommand(table)),
      `dynamodb:Query: dynamodb:Query ${EVENTS}`,
    ],
    [
      (clients) =>
        clients.dynamodb.send(new dynamodb.QueryCommand({ ...table, IndexName: "time-index" })),
      `dynamodb:Query: dynamodb:Query ${EVENTS}/index/time-index`,
    ],
    [
      (clients) => clients.dynamodb.send(new dynamodb.ListTablesCommand({})),
      "dynamodb:ListTables: dynamodb:ListTables *",
    ],
    [
      (clients) =>
        clients.dynamodb.send(
          new dynamodb.BatchWriteItemCommand({ RequestItems: { a: [], b: [] } }),
        ),
      `dynamodb:BatchWriteItem: dynamodb:BatchWriteItem ${tableArn("a")}, ` +
        `dynamodb:BatchWriteItem ${tableArn("b")}`,
    ],
    [
      (clients) =>
        clients.dynamodb.send(
          new dynamodb.TransactWriteItemsCommand({
            TransactItems: [
              { Put: { TableName: "a", Item: id } },
              { Put: { TableName: "a", Item: id } },
              { Delete: { TableName: "b", Key: id } },
              { ConditionCheck: { TableName: "a", Key: id, ConditionExpression: "x" } },
            ],
          }),
        ),
      `dynamodb:TransactWriteItems: dynamodb:PutItem ${tableArn("a")}, ` +
        `dynamodb:DeleteItem ${tableArn("b")}, dynamodb:ConditionCheckItem ${tableArn("a")}`,
    ],
  ];
  for (const [act, expected] of cases) {
    it(expected, async () => {
      expect(await needs(dynamoDbApi, act)).to.equal(expected);
    });
  }

  it("refuse a request that names no resource", () => {
    expect(refused(dynamoDbApi, target("DynamoDB_20120810.PutItem", {}))).to.match(
      /^400 ValidationException: .*TableName/,
    );
    expect(refused(dynamoDbApi, target("DynamoDB_20120810.ExecuteStatement", {}))).to.match(
      /^501 NotImplemented: dynamodb:ExecuteStatement /,
    );
    expect(refused(dynamoDbApi, target("DynamoDBStreams_20120810.GetRecords", {}))).to.match(
      /^501 NotImplemented: dynamodb:GetRecords /,
    );
    expect(refused(dynamoDbApi, target("DynamoDB_20120810.PutItem", "no record"))).to.match(
      /^400 SerializationException/,
    );
  });
});
