import { readFileSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { parse as parseYaml } from "yaml";
import { DEFAULTS } from "../config";
import { checkOwnVariables } from "../local/lambda/environmentVariables";
import {
  ACCOUNT_ID,
  type Inputs,
  json,
  ofType,
  only,
  OTHER_SETTINGS,
  type Recording,
  recordProgram,
  REGION,
  type Registration,
  valueOf,
} from "./recordingMocks";

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: string | string[];
}

interface Swagger {
  paths: Record<string, Record<string, Operation>>;
  securityDefinitions?: Record<string, unknown>;
  "x-amazon-apigateway-binary-media-types": string[];
  "x-amazon-apigateway-gateway-responses": Record<string, GatewayResponse>;
}

interface Operation {
  security?: unknown;
  "x-amazon-apigateway-integration": Record<string, unknown>;
}

interface GatewayResponse {
  statusCode: number;
  responseTemplates: Record<string, string>;
}

const LAMBDAS = ["notify", "process", "record", "sweep", "upload"];

/** Names as the mocks give them, after the manner of Pulumi. */
const BUCKET = "arn:aws:s3:::uploads-1a2b3c4";
const TABLE = `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/events-1a2b3c4`;
const RESERVATIONS = `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/uploads-idempotency-1a2b3c4`;
const STREAM = `${TABLE}/stream/2026-11-30T00:00:00.000`;
const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT_ID}:notifier-1a2b3c4`;
const ALARM_TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT_ID}:alarms-1a2b3c4`;
const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:dead-letters-1a2b3c4`;
const QUEUE_URL = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT_ID}/dead-letters-1a2b3c4`;
const RULE = `arn:aws:events:${REGION}:${ACCOUNT_ID}:rule/sweep-1a2b3c4`;

function functionArn(name: string): string {
  return `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${name}-1a2b3c4`;
}

function statementsOf(policy: Registration): Statement[] {
  return (json(policy, "policy") as { Statement: Statement[] }).Statement;
}

/** All that a Lambda's role may do: `action resource`, sorted. */
function permissionsOf(recording: Recording, lambda: string): string[] {
  return ofType(recording, "RolePolicy")
    .filter(({ inputs }) => inputs.role === `${lambda}-1a2b3c4`)
    .flatMap(statementsOf)
    .flatMap(({ Effect, Action, Resource }) =>
      [Action].flat().flatMap((action) =>
        [Resource].flat().map((resource) => {
          expect(Effect).to.equal("Allow");
          return `${action} ${resource}`;
        }),
      ),
    )
    .sort();
}

function swaggerOf(recording: Recording): Swagger {
  return json(only(recording, "RestApi"), "body") as Swagger;
}

function readYaml(fileName: string): unknown {
  return parseYaml(readFileSync(path.join(__dirname, "..", fileName), "utf8"));
}

describe("The program", () => {
  let recording: Recording;

  before(async () => {
    recording = await recordProgram();
  });

  function inputs(type: string, name?: string): Inputs {
    return only(recording, type, name).inputs;
  }

  it("runs without an error, and asks AWS for nothing but the account", () => {
    expect(recording.error).to.equal(undefined);
    expect(recording.rejections).to.deep.equal([]);
    expect(recording.calls).to.deep.equal(["aws:index/getCallerIdentity:getCallerIdentity"]);
  });

  it("registers exactly these resources", () => {
    const counts: Record<string, number> = {};
    for (const { type } of recording.registrations) {
      counts[type] = (counts[type] ?? 0) + 1;
    }
    expect(counts).to.deep.equal({
      "aws:apigateway/deployment:Deployment": 1,
      "aws:apigateway/methodSettings:MethodSettings": 1,
      "aws:apigateway/restApi:RestApi": 1,
      "aws:apigateway/stage:Stage": 1,
      "aws:apigateway:x:API": 1,
      "aws:cloudwatch/eventRule:EventRule": 1,
      "aws:cloudwatch/eventTarget:EventTarget": 1,
      "aws:cloudwatch/logGroup:LogGroup": 5,
      "aws:dynamodb/table:Table": 2,
      "aws:iam/role:Role": 5,
      "aws:iam/rolePolicy:RolePolicy": 8,
      "aws:lambda/eventSourceMapping:EventSourceMapping": 2,
      "aws:lambda/function:Function": 5,
      "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": 1,
      "aws:lambda/permission:Permission": 4,
      "aws:s3/bucket:Bucket": 1,
      "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": 1,
      "aws:s3/bucketNotification:BucketNotification": 1,
      "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 1,
      "aws:s3/bucketPolicy:BucketPolicy": 1,
      "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1,
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 1,
      "aws:sns/topic:Topic": 2,
      "aws:sns/topicPolicy:TopicPolicy": 2,
      "aws:sns/topicSubscription:TopicSubscription": 2,
      "aws:sqs/queue:Queue": 1,
      "aws:sqs/queuePolicy:QueuePolicy": 1,
      "s3-uploader:events:EventTable": 1,
      "s3-uploader:lambda:CallbackLambda": 5,
      "s3-uploader:notify:Notifier": 2,
      "s3-uploader:queue:DeadLetterQueue": 1,
      "s3-uploader:schedule:Schedule": 1,
      "s3-uploader:uploads:UploadApi": 1,
    });
  });

  it("gives every resource a component as its parent", () => {
    const orphans = recording.registrations.filter(({ custom, parent }) => custom && parent === "");
    expect(orphans).to.deep.equal([]);
  });

  it("has AWS make first what a resource needs at once", () => {
    const needs = [
      ...LAMBDAS.map((name) => ["Function", name, `aws:iam/rolePolicy:RolePolicy ${name}`]),
      ["BucketNotification", "record", "aws:lambda/permission:Permission record"],
      [
        "BucketNotification",
        "record",
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig record",
      ],
      ["FunctionEventInvokeConfig", "record", "aws:iam/rolePolicy:RolePolicy record-dead-letters"],
      ["EventTarget", "sweep", "aws:lambda/permission:Permission sweep-schedule"],
      ["EventSourceMapping", "events-process", "aws:iam/rolePolicy:RolePolicy process-stream"],
      ["EventSourceMapping", "events-notify", "aws:iam/rolePolicy:RolePolicy notify-stream"],
      // S3 refuses two changes of a bucket's access at the same time.
      ["BucketPolicy", "uploads", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock uploads"],
      ["BucketPolicy", "uploads", "aws:s3/bucketOwnershipControls:BucketOwnershipControls uploads"],
    ];
    for (const [type = "", name = "", needed = ""] of needs) {
      expect(only(recording, type, name).dependencies, `${type} ${name}`).to.include(needed);
    }
  });

  it("has outputs that say where to send files, and where they go", async () => {
    const outputs: Record<string, unknown> = {};
    for (const [name, output] of Object.entries(recording.outputs)) {
      outputs[name] = await valueOf(output);
    }
    const uploadUrl = `https://api1234567.execute-api.${REGION}.amazonaws.com/stage/upload`;
    expect(outputs).to.deep.equal({
      uploadUrl,
      uploadCommand:
        "curl -X POST -H 'Content-type: image/jpeg' --data-binary '@sample.jpg' " +
        `'${uploadUrl}?filename=sample.jpg'`,
      uploadApiKey: undefined,
      bucketName: "uploads-1a2b3c4",
      tableName: "events-1a2b3c4",
      topicArn: TOPIC,
      alarmTopicArn: ALARM_TOPIC,
      deadLetterQueueUrl: QUEUE_URL,
      email: DEFAULTS.email,
    });
  });

  describe("its Lambdas", () => {
    const settingsOf = {
      upload: { timeout: 29, memorySize: 512 },
      record: { timeout: 30, memorySize: 256 },
      process: { timeout: 60, memorySize: 512 },
      notify: { timeout: 60, memorySize: 256 },
      sweep: { timeout: 120, memorySize: 256 },
    };

    for (const [name, settings] of Object.entries(settingsOf)) {
      it(`run ${name} on Node 24 and arm64, with a role and a JSON log of its own`, () => {
        const { code, environment, description, ...others } = inputs("Function", name);
        expect(others).to.deep.equal({
          runtime: "nodejs24.x",
          architectures: ["arm64"],
          handler: "index.handler",
          role: `arn:aws:iam::${ACCOUNT_ID}:role/${name}-1a2b3c4`,
          loggingConfig: { logFormat: "JSON", logGroup: `/aws/lambda/s3-uploader-test-${name}` },
          ...settings,
        });
        expect(description).to.be.a("string").with.length.within(10, 256);
        expect(pulumi.asset.AssetArchive.isInstance(code)).to.equal(true);
        expect(environment).to.have.all.keys("variables");
      });
    }

    it("are set by exactly these environment variables", () => {
      const variablesOf = (name: string) =>
        (inputs("Function", name).environment as { variables: Record<string, string> }).variables;
      const variables = Object.fromEntries(LAMBDAS.map((name) => [name, variablesOf(name)]));
      expect(variables).to.deep.equal({
        upload: {
          BUCKET_NAME: "uploads-1a2b3c4",
          TABLE_NAME: "events-1a2b3c4",
          RESERVATIONS_TABLE_NAME: "uploads-idempotency-1a2b3c4",
          MAX_UPLOAD_BYTES: "4194304",
          ALLOWED_CONTENT_TYPES: "*/*",
        },
        record: { TABLE_NAME: "events-1a2b3c4" },
        process: { TABLE_NAME: "events-1a2b3c4" },
        notify: {
          TABLE_NAME: "events-1a2b3c4",
          TOPIC_ARN: TOPIC,
          ALARM_TOPIC_ARN: ALARM_TOPIC,
        },
        sweep: {
          TABLE_NAME: "events-1a2b3c4",
          BUCKET_NAME: "uploads-1a2b3c4",
          DEAD_LETTER_QUEUE_URL: QUEUE_URL,
          STUCK_SECONDS: "900",
          MAX_ATTEMPTS: "5",
        },
      });
      for (const own of Object.values(variables)) {
        checkOwnVariables(own);
      }
    });

    it("log to groups that the stack makes, keeps for a while, and deletes", () => {
      const groups = ofType(recording, "LogGroup").map(({ inputs: group }) => group);
      expect(groups).to.have.deep.members(
        LAMBDAS.map((name) => ({
          name: `/aws/lambda/s3-uploader-test-${name}`,
          retentionInDays: DEFAULTS.logRetentionDays,
        })),
      );
    });

    it("have roles that Lambda alone can take on, without managed policies", () => {
      const roles = ofType(recording, "Role");
      expect(roles.map(({ name }) => name)).to.have.members(LAMBDAS);
      for (const role of roles) {
        expect(role.inputs).to.have.all.keys("assumeRolePolicy", "description");
        expect(json(role, "assumeRolePolicy")).to.deep.equal({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { Service: "lambda.amazonaws.com" },
              Action: "sts:AssumeRole",
            },
          ],
        });
      }
    });

    const sending = `sqs:SendMessage ${QUEUE}`;
    const streamReading = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"].map(
      (action) => `dynamodb:${action} ${STREAM}`,
    );
    const grantsOf: Record<string, string[]> = {
      upload: [
        `s3:PutObject ${BUCKET}/uploads/*`,
        `dynamodb:PutItem ${TABLE}`,
        `dynamodb:GetItem ${RESERVATIONS}`,
        `dynamodb:PutItem ${RESERVATIONS}`,
      ],
      record: [`dynamodb:GetItem ${TABLE}`, `dynamodb:PutItem ${TABLE}`, sending],
      process: [
        `s3:GetObject ${BUCKET}/*`,
        `dynamodb:UpdateItem ${TABLE}`,
        ...streamReading,
        sending,
      ],
      notify: [
        `dynamodb:BatchGetItem ${TABLE}`,
        `dynamodb:UpdateItem ${TABLE}`,
        `sns:Publish ${TOPIC}`,
        `sns:Publish ${ALARM_TOPIC}`,
        ...streamReading,
        sending,
      ],
      sweep: [
        `dynamodb:Query ${TABLE}/index/time-index`,
        `dynamodb:BatchGetItem ${TABLE}`,
        `dynamodb:PutItem ${TABLE}`,
        `dynamodb:UpdateItem ${TABLE}`,
        `s3:ListBucket ${BUCKET}`,
        `sqs:ReceiveMessage ${QUEUE}`,
        `sqs:DeleteMessage ${QUEUE}`,
      ],
    };

    for (const name of LAMBDAS) {
      it(`let ${name} do what it does, where it does it, and nothing else`, () => {
        const logs = `arn:aws:logs:${REGION}:${ACCOUNT_ID}:log-group:/aws/lambda/s3-uploader-test-${name}`;
        expect(permissionsOf(recording, name)).to.deep.equal(
          [
            `logs:CreateLogStream ${logs}:log-stream:*`,
            `logs:PutLogEvents ${logs}:log-stream:*`,
            ...(grantsOf[name] ?? []),
          ].sort(),
        );
      });
    }

    it("share no policy, and every policy is one of a Lambda's role", () => {
      const roles = new Set(
        ofType(recording, "RolePolicy").map(({ inputs: policy }) => policy.role),
      );
      expect([...roles]).to.have.members(LAMBDAS.map((name) => `${name}-1a2b3c4`));
    });
  });

  describe("its event table", () => {
    it("has the keys and the time-index of an event, on demand, with point-in-time recovery", () => {
      expect(inputs("Table", "events")).to.deep.equal({
        billingMode: "PAY_PER_REQUEST",
        hashKey: "event_id",
        rangeKey: "event_timestamp",
        attributes: [
          { name: "event_id", type: "S" },
          { name: "event_timestamp", type: "S" },
          { name: "event_status", type: "S" },
        ],
        globalSecondaryIndexes: [
          {
            name: "time-index",
            hashKey: "event_status",
            rangeKey: "event_timestamp",
            projectionType: "ALL",
          },
        ],
        streamEnabled: true,
        streamViewType: "NEW_AND_OLD_IMAGES",
        pointInTimeRecovery: { enabled: true },
      });
    });

    it("has a neighbour that forgets Idempotency-Keys by itself, and no stream", () => {
      expect(inputs("Table", "uploads-idempotency")).to.deep.equal({
        billingMode: "PAY_PER_REQUEST",
        hashKey: "idempotency_key",
        attributes: [{ name: "idempotency_key", type: "S" }],
        ttl: { attributeName: "expires_at", enabled: true },
      });
    });

    const mappings = {
      process: {
        batchSize: 100,
        maximumBatchingWindowInSeconds: 0,
        patterns: ['{"dynamodb":{"NewImage":{"event_status":{"S":["created","uploaded"]}}}}'],
      },
      notify: {
        batchSize: 1000,
        maximumBatchingWindowInSeconds: DEFAULTS.digestSeconds,
        patterns: [
          '{"dynamodb":{"NewImage":{"event_status":{"S":["processed"]}}}}',
          '{"dynamodb":{"NewImage":{"event_status":{"S":["failed"]},"alarmed_at":{"S":[{"exists":false}]}}}}',
        ],
      },
    };

    for (const [name, { patterns, ...settings }] of Object.entries(mappings)) {
      it(`invokes ${name} for rows of its own statuses, from the first one on, and not for ever`, () => {
        const { maximumRetryAttempts, maximumRecordAgeInSeconds, ...mapping } = inputs(
          "EventSourceMapping",
          `events-${name}`,
        );
        expect(mapping).to.deep.equal({
          eventSourceArn: STREAM,
          functionName: functionArn(name),
          filterCriteria: { filters: patterns.map((pattern) => ({ pattern })) },
          startingPosition: "TRIM_HORIZON",
          functionResponseTypes: ["ReportBatchItemFailures"],
          bisectBatchOnFunctionError: true,
          destinationConfig: { onFailure: { destinationArn: QUEUE } },
          ...settings,
        });
        expect(maximumRetryAttempts).to.be.within(1, 100);
        // A stream keeps its records for a day.
        expect(maximumRecordAgeInSeconds).to.be.within(60, 24 * 60 * 60 - 1);
      });
    }

    it("has no third reader: a stream serves two", () => {
      expect(ofType(recording, "EventSourceMapping")).to.have.length(2);
    });
  });

  describe("its bucket", () => {
    it("goes away with its files on destroy", () => {
      expect(inputs("Bucket")).to.deep.equal({ forceDestroy: DEFAULTS.deleteFilesOnDestroy });
    });

    it("is closed to the public, whatever a policy or an ACL says", () => {
      expect(inputs("BucketPublicAccessBlock")).to.deep.equal({
        bucket: "uploads-1a2b3c4",
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      });
      expect(inputs("BucketOwnershipControls")).to.deep.equal({
        bucket: "uploads-1a2b3c4",
        rule: { objectOwnership: "BucketOwnerEnforced" },
      });
    });

    it("encrypts, and drops unfinished multipart uploads after a day", () => {
      expect(inputs("BucketServerSideEncryptionConfiguration")).to.deep.equal({
        bucket: "uploads-1a2b3c4",
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
      });
      expect(inputs("BucketLifecycleConfiguration")).to.deep.equal({
        bucket: "uploads-1a2b3c4",
        rules: [
          {
            id: "abort-unfinished-multipart-uploads",
            status: "Enabled",
            filter: {},
            abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
          },
        ],
      });
    });

    it("refuses requests without TLS, to itself and to its objects", () => {
      expect(inputs("BucketPolicy").bucket).to.equal("uploads-1a2b3c4");
      expect(statementsOf(only(recording, "BucketPolicy"))).to.deep.equal([
        {
          Sid: "TlsOnly",
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: [BUCKET, `${BUCKET}/*`],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ]);
    });

    it("tells record of every new object, and only this bucket of this account may", () => {
      expect(inputs("BucketNotification")).to.deep.equal({
        bucket: "uploads-1a2b3c4",
        lambdaFunctions: [
          { lambdaFunctionArn: functionArn("record"), events: ["s3:ObjectCreated:*"] },
        ],
      });
      expect(inputs("Permission", "record")).to.deep.equal({
        action: "lambda:InvokeFunction",
        function: "record-1a2b3c4",
        principal: "s3.amazonaws.com",
        sourceArn: BUCKET,
        sourceAccount: ACCOUNT_ID,
      });
    });
  });

  describe("its REST API", () => {
    it("has the upload Lambda answer POST /upload, and word the refusal of other methods", () => {
      const { paths } = swaggerOf(recording);
      expect(Object.keys(paths)).to.deep.equal(["/upload"]);
      expect(paths["/upload"]).to.have.all.keys("post", "x-amazon-apigateway-any-method");
      for (const operation of Object.values(paths["/upload"] ?? {})) {
        expect(operation["x-amazon-apigateway-integration"]).to.deep.equal({
          type: "aws_proxy",
          httpMethod: "POST",
          passthroughBehavior: "when_no_match",
          uri:
            `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/` +
            `${functionArn("upload")}/invocations`,
        });
        expect(operation).not.to.have.property("security");
      }
    });

    it("may invoke the upload Lambda for exactly these routes", () => {
      const permissions = ofType(recording, "Permission")
        .map(({ inputs: permission }) => permission)
        .filter(({ principal }) => principal === "apigateway.amazonaws.com");
      const api = `arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:api1234567`;
      expect(permissions.map(({ sourceArn }) => sourceArn)).to.have.members([
        `${api}/*/POST/upload`,
        `${api}/*/*/upload`,
      ]);
      for (const permission of permissions) {
        expect(permission.function).to.equal("upload-1a2b3c4");
      }
    });

    it("hands bodies over byte for byte, whatever their type", () => {
      expect(inputs("RestApi").binaryMediaTypes).to.deep.equal(["*/*"]);
      expect(swaggerOf(recording)["x-amazon-apigateway-binary-media-types"]).to.deep.equal(["*/*"]);
    });

    it("words its own errors as the Lambda does: JSON with code and message", () => {
      const responses = Object.entries(
        swaggerOf(recording)["x-amazon-apigateway-gateway-responses"],
      );
      const answers = responses.map(([type, { statusCode, responseTemplates }]) => {
        expect(responseTemplates).to.have.all.keys("application/json");
        const body = (responseTemplates["application/json"] ?? "")
          .replaceAll("$context.error.messageString", '"A \\"quoted\\" message"')
          .replaceAll("$context.requestId", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef");
        expect(body, type).not.to.include("$");
        const { error } = JSON.parse(body) as { error: Record<string, string> };
        expect(error.message, type).to.be.a("string").and.not.to.equal("");
        return [type, `${statusCode} ${error.code ?? ""}`];
      });
      expect(Object.fromEntries(answers)).to.deep.equal({
        ACCESS_DENIED: "403 forbidden",
        DEFAULT_4XX: "undefined bad_request",
        DEFAULT_5XX: "undefined server_error",
        INTEGRATION_TIMEOUT: "504 timeout",
        INVALID_API_KEY: "403 forbidden",
        MISSING_AUTHENTICATION_TOKEN: "404 not_found",
        QUOTA_EXCEEDED: "429 quota_exceeded",
        REQUEST_TOO_LARGE: "413 too_large",
        THROTTLED: "429 too_many_requests",
      });
    });

    it("throttles every route of its stage", () => {
      expect(inputs("MethodSettings")).to.deep.equal({
        restApi: "api1234567",
        stageName: "stage",
        methodPath: "*/*",
        settings: {
          throttlingRateLimit: DEFAULTS.requestsPerSecond,
          throttlingBurstLimit: DEFAULTS.burst,
        },
      });
    });

    it("needs no API key", () => {
      expect(swaggerOf(recording)).not.to.have.property("securityDefinitions");
    });
  });

  describe("its REST API with requireApiKey", () => {
    let keyed: Recording;

    before(async () => {
      keyed = await recordProgram(OTHER_SETTINGS);
    });

    it("wants a key for POST, in the header x-api-key", () => {
      const { paths, securityDefinitions } = swaggerOf(keyed);
      expect(paths["/upload"]?.post?.security).to.deep.equal([{ api_key: [] }]);
      expect(securityDefinitions).to.deep.equal({
        api_key: { type: "apiKey", name: "x-api-key", in: "header" },
      });
    });

    it("has one key, in a usage plan that is no narrower than the stage", () => {
      // AWS makes up the key itself.
      expect(only(keyed, "ApiKey").inputs).not.to.have.property("value");
      expect(only(keyed, "UsagePlan").inputs).to.deep.equal({
        apiStages: [{ apiId: "api1234567", stage: "stage" }],
        throttleSettings: { rateLimit: 1, burstLimit: 5000 },
      });
      expect(only(keyed, "UsagePlanKey").inputs).to.deep.equal({
        keyId: "uploads-1a2b3c4",
        keyType: "API_KEY",
        usagePlanId: "uploads-1a2b3c4",
      });
    });

    it("has the key as a secret output, and a command that fetches it", async () => {
      const { uploadApiKey, uploadCommand, ...others } = keyed.outputs;
      expect(await valueOf(uploadApiKey)).to.equal("a-key-for-the-header-x-api-key");
      expect(await pulumi.isSecret(uploadApiKey as pulumi.Output<string>)).to.equal(true);
      expect(await valueOf(uploadCommand)).to.include(
        `-H "x-api-key: $(npx pulumi stack output uploadApiKey --show-secrets)"`,
      );
      for (const [name, output] of Object.entries({ uploadCommand, ...others })) {
        expect(await pulumi.isSecret(pulumi.output(output)), name).to.equal(false);
      }
    });
  });

  for (const [name, arn] of Object.entries({ notifier: TOPIC, alarms: ALARM_TOPIC })) {
    describe(`its topic ${name}`, () => {
      it("refuses requests without TLS", () => {
        expect(inputs("TopicPolicy", name).arn).to.equal(arn);
        expect(statementsOf(only(recording, "TopicPolicy", name))).to.deep.equal([
          {
            Sid: "TlsOnly",
            Effect: "Deny",
            Principal: "*",
            Action: [
              "sns:AddPermission",
              "sns:DeleteTopic",
              "sns:GetTopicAttributes",
              "sns:ListSubscriptionsByTopic",
              "sns:Publish",
              "sns:RemovePermission",
              "sns:SetTopicAttributes",
              "sns:Subscribe",
            ],
            Resource: [arn],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ]);
      });

      it("mails to the address of the setting", () => {
        expect(inputs("TopicSubscription", `${name}-${DEFAULTS.email}`)).to.deep.equal({
          topic: arn,
          protocol: "email",
          endpoint: DEFAULTS.email,
        });
      });
    });
  }

  describe("its dead-letter queue", () => {
    it("is encrypted, and keeps messages for 14 days: as long as SQS can", () => {
      expect(inputs("Queue", "dead-letters")).to.deep.equal({
        sqsManagedSseEnabled: true,
        messageRetentionSeconds: 14 * 24 * 60 * 60,
      });
    });

    it("refuses requests without TLS", () => {
      expect(inputs("QueuePolicy").queueUrl).to.equal(QUEUE_URL);
      expect(statementsOf(only(recording, "QueuePolicy"))).to.deep.equal([
        {
          Sid: "TlsOnly",
          Effect: "Deny",
          Principal: "*",
          Action: "sqs:*",
          Resource: [QUEUE],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ]);
    });

    it("gets the bucket's events that record fails on, after two retries or six hours", () => {
      expect(inputs("FunctionEventInvokeConfig")).to.deep.equal({
        functionName: "record-1a2b3c4",
        maximumRetryAttempts: 2,
        maximumEventAgeInSeconds: 6 * 60 * 60,
        destinationConfig: { onFailure: { destination: QUEUE } },
      });
    });
  });

  describe("its schedule", () => {
    it("starts the sweeper every five minutes", () => {
      expect(inputs("EventRule")).to.deep.equal({ scheduleExpression: "rate(5 minutes)" });
      expect(inputs("EventTarget")).to.deep.equal({
        rule: "sweep-1a2b3c4",
        arn: functionArn("sweep"),
      });
    });

    it("is the only one that may start it", () => {
      const permissions = ofType(recording, "Permission").filter(
        ({ inputs: { function: name } }) => name === "sweep-1a2b3c4",
      );
      expect(permissions.map(({ inputs: permission }) => permission)).to.deep.equal([
        {
          action: "lambda:InvokeFunction",
          function: "sweep-1a2b3c4",
          principal: "events.amazonaws.com",
          sourceArn: RULE,
        },
      ]);
    });
  });

  it("uses names that AWS takes, with the seven characters that Pulumi adds", () => {
    const rules: Record<string, RegExp> = {
      Bucket: /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
      EventRule: /^[\w.-]{1,64}$/,
      Function: /^[\w-]{1,64}$/,
      Permission: /^[\w-]{1,100}$/,
      Queue: /^[\w-]{1,80}$/,
      Role: /^[\w+=,.@-]{1,64}$/,
      RolePolicy: /^[\w+=,.@-]{1,128}$/,
      Table: /^[\w.-]{3,255}$/,
      Topic: /^[\w-]{1,256}$/,
    };
    for (const [type, rule] of Object.entries(rules)) {
      for (const { name, inputs: resource } of ofType(recording, type)) {
        expect(resource, `${type} ${name} leaves its name to Pulumi`).not.to.have.property("name");
        expect(`${name}-1a2b3c4`, type).to.match(rule);
      }
    }
    for (const { inputs: group } of ofType(recording, "LogGroup")) {
      expect(group.name).to.match(/^[\w\-/.#]{1,512}$/);
    }
  });
});

describe("The stack's settings", () => {
  const declared = (readYaml("Pulumi.yaml") as { config: Record<string, { default: unknown }> })
    .config;

  it("are declared in Pulumi.yaml with the defaults that config.ts has", () => {
    const defaults = Object.entries(declared).map(([name, setting]) => [name, setting.default]);
    expect(Object.fromEntries(defaults)).to.deep.equal(DEFAULTS);
  });

  it("are all set in Pulumi.dev.yaml, and the region with them", () => {
    const { config } = readYaml("Pulumi.dev.yaml") as { config: Record<string, string> };
    expect(Object.keys(config)).to.have.members([
      "aws:region",
      ...Object.keys(declared).map((name) => `s3-uploader:${name}`),
    ]);
  });
});
