import { notImplemented } from "../awsError";
import type { Call, Grant, Place } from "../gateway/service";
import type { HttpRequest } from "../http";
import { asRecord, jsonOf, type JsonRecord, textIn, validationError } from "../protocols/json";
import { operationOf } from "../protocols/operation";

const TABLE_OPERATIONS = new Set([
  "CreateTable",
  "DeleteItem",
  "DeleteTable",
  "DescribeTable",
  "DescribeTimeToLive",
  "GetItem",
  "PutItem",
  "Query",
  "Scan",
  "UpdateItem",
  "UpdateTable",
]);
const TAG_OPERATIONS = new Set(["ListTagsOfResource", "TagResource", "UntagResource"]);

// A transaction's parts are allowed one by one, under the names of the single operations.
const TRANSACTION_ACTIONS: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    ConditionCheck: "ConditionCheckItem",
    Delete: "DeleteItem",
    Get: "GetItem",
    Put: "PutItem",
    Update: "UpdateItem",
  }),
);

/** Reads a request of DynamoDB's JSON protocol; its body is read for the grants only. */
export function readCall(request: HttpRequest): Call {
  const name = operationOf(request);
  const operation = `dynamodb:${name}`;
  return {
    operation,
    grants: (place) => {
      if (!request.headers["x-amz-target"]?.startsWith("DynamoDB_20120810.")) {
        throw notImplemented(operation);
      }
      return grantsOf(name, operation, jsonOf(request), place);
    },
  };
}

function grantsOf(name: string, action: string, body: JsonRecord, place: Place): Grant[] {
  if (name === "ListTables") {
    return [{ action, resource: "*" }];
  }
  if (TAG_OPERATIONS.has(name)) {
    return [{ action, resource: textIn(body, "ResourceArn") }];
  }
  if (name === "BatchGetItem" || name === "BatchWriteItem") {
    return Object.keys(asRecord(body.RequestItems)).map((table) => ({
      action,
      resource: tableArn(table, place),
    }));
  }
  if (name === "TransactGetItems" || name === "TransactWriteItems") {
    const parts = Object.values(asRecord(body.TransactItems));
    return unique(parts.flatMap((part) => transactionGrants(part, place)));
  }
  if (!TABLE_OPERATIONS.has(name)) {
    throw notImplemented(action);
  }

  const table = tableArn(textIn(body, "TableName"), place);
  const index =
    (name === "Query" || name === "Scan") && body.IndexName !== undefined
      ? `/index/${textIn(body, "IndexName")}`
      : "";
  return [{ action, resource: table + index }];
}

function transactionGrants(item: unknown, place: Place): Grant[] {
  return Object.entries(asRecord(item)).map(([kind, part]) => {
    const action = TRANSACTION_ACTIONS.get(kind);
    if (!action) {
      throw validationError(`${kind} is not a part of a transaction`);
    }
    return {
      action: `dynamodb:${action}`,
      resource: tableArn(textIn(asRecord(part), "TableName"), place),
    };
  });
}

/** Requests may give a table's name or its ARN. */
function tableArn(table: string, { region, accountId }: Place): string {
  return table.startsWith("arn:")
    ? table
    : `arn:aws:dynamodb:${region}:${accountId}:table/${table}`;
}

function unique(grants: Grant[]): Grant[] {
  return [...new Map(grants.map((grant) => [JSON.stringify(grant), grant])).values()];
}
