import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { checkOwnVariables } from "local-aws";
import { DEFAULTS } from "../../config";
import { ACCOUNT_ID, type Inputs, REGION, restApiId } from "../../testing/mockedAws";
import { json, ofType, only, type Recording, recordProgram } from "../../testing/recordingMocks";
import {
  ALARM_TOPIC,
  BUCKET,
  COUNTS,
  LAMBDAS,
  LINKS,
  LINKS_GRANTS,
  QUEUE,
  QUEUE_URL,
  RESERVATIONS,
  statementsOf,
  STREAM,
  TABLE,
  TOPIC,
  variablesOf,
} from "./names";

/** The permissions of a Lambda's role: `action resource`, sorted. */
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

describe("The program's Lambdas", () => {
  let recording: Recording;

  before(async () => {
    recording = await recordProgram();
  });

  function inputs(type: string, name?: string): Inputs {
    return only(recording, type, name).inputs;
  }

  const settingsOf = {
    upload: { timeout: 29, memorySize: 512 },
    record: { timeout: 30, memorySize: 256 },
    process: { timeout: 60, memorySize: 512 },
    notify: { timeout: 60, memorySize: 256 },
    sweep: { timeout: 120, memorySize: 512 },
    links: { timeout: 29, memorySize: 512 },
    manager: { timeout: 29, memorySize: 512 },
  };

  for (const [name, settings] of Object.entries(settingsOf)) {
    it(`run ${name} on Node 24 and arm64, with a role and a JSON log of its own`, () => {
      const { code, environment, description, ...others } = inputs("Function", name);
      expect(others).to.deep.equal({
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        role: `arn:aws:iam::${ACCOUNT_ID}:role/${name}-1a2b3c4`,
        loggingConfig: {
          logFormat: "JSON",
          logGroup: `/aws/lambda/s3-uploader-test-${name}-1a2b3c4`,
        },
        ...settings,
      });
      expect(description).to.be.a("string").with.length.within(10, 256);
      expect(pulumi.asset.AssetArchive.isInstance(code)).to.equal(true);
      expect(environment).to.have.all.keys("variables");
    });
  }

  it("have exactly these environment variables", () => {
    const variables = Object.fromEntries(
      LAMBDAS.map((name) => [name, variablesOf(recording, name)]),
    );
    const { CURSOR_SECRET: secret } = variables.manager ?? {};
    const { LINK_SECRETS: linkSecrets } = variables.links ?? {};
    for (const each of [secret, linkSecrets]) {
      expect(Buffer.from(each ?? "", "base64")).to.have.length(32);
    }
    expect(variables).to.deep.equal({
      manager: {
        TABLE_NAME: "events-1a2b3c4",
        STATUS_SHARDS: "1",
        COUNTS_TABLE_NAME: "events-counts-1a2b3c4",
        BUCKET_NAME: "uploads-1a2b3c4",
        RESERVATIONS_TABLE_NAME: "uploads-idempotency-1a2b3c4",
        ALLOWED_CONTENT_TYPES: "*/*",
        CURSOR_SECRET: secret,
        STUCK_SECONDS: "900",
        UPLOAD_URL: `https://${restApiId("uploads")}.execute-api.${REGION}.amazonaws.com/stage/upload`,
        MAX_UPLOAD_BYTES: "4194304",
        UPLOAD_NEEDS_KEY: "false",
        LINKS_TABLE_NAME: "links-1a2b3c4",
        LINK_SECRETS: linkSecrets,
        LINK_URL: `https://${restApiId("links")}.execute-api.${REGION}.amazonaws.com/stage`,
      },
      links: {
        BUCKET_NAME: "uploads-1a2b3c4",
        LINKS_TABLE_NAME: "links-1a2b3c4",
        LINK_SECRETS: linkSecrets,
        TABLE_NAME: "events-1a2b3c4",
        STATUS_SHARDS: "1",
        ALLOWED_CONTENT_TYPES: "*/*",
        CORS_ORIGINS: "",
        ORGANISATION: "",
      },
      upload: {
        BUCKET_NAME: "uploads-1a2b3c4",
        TABLE_NAME: "events-1a2b3c4",
        STATUS_SHARDS: "1",
        COUNTS_TABLE_NAME: "events-counts-1a2b3c4",
        RESERVATIONS_TABLE_NAME: "uploads-idempotency-1a2b3c4",
        MAX_UPLOAD_BYTES: "4194304",
        ALLOWED_CONTENT_TYPES: "*/*",
        CORS_ORIGINS: "",
      },
      record: {
        TABLE_NAME: "events-1a2b3c4",
        STATUS_SHARDS: "1",
        COUNTS_TABLE_NAME: "events-counts-1a2b3c4",
        RESERVATIONS_TABLE_NAME: "uploads-idempotency-1a2b3c4",
        LINKS_TABLE_NAME: "links-1a2b3c4",
        STUCK_SECONDS: "900",
      },
      process: {
        TABLE_NAME: "events-1a2b3c4",
        STATUS_SHARDS: "1",
        MAX_ATTEMPTS: "5",
        ALLOWED_CONTENT_TYPES: "*/*",
        REJECT_MISMATCH: "false",
      },
      notify: {
        TABLE_NAME: "events-1a2b3c4",
        STATUS_SHARDS: "1",
        TOPIC_ARN: TOPIC,
        ALARM_TOPIC_ARN: ALARM_TOPIC,
      },
      sweep: {
        TABLE_NAME: "events-1a2b3c4",
        STATUS_SHARDS: "1",
        COUNTS_TABLE_NAME: "events-counts-1a2b3c4",
        RESERVATIONS_TABLE_NAME: "uploads-idempotency-1a2b3c4",
        LINKS_TABLE_NAME: "links-1a2b3c4",
        BUCKET_NAME: "uploads-1a2b3c4",
        DEAD_LETTER_QUEUE_URL: QUEUE_URL,
        STUCK_SECONDS: "900",
        MAX_ATTEMPTS: "5",
        ALARM_TOPIC_ARN: ALARM_TOPIC,
        CONSUMERS: JSON.stringify({
          created: "process-1a2b3c4",
          uploaded: "process-1a2b3c4",
          processed: "notify-1a2b3c4",
          failed: "notify-1a2b3c4",
        }),
      },
    });
    for (const own of Object.values(variables)) {
      checkOwnVariables(own);
    }
  });

  it("log to groups of the stack, which keep entries for a limited time", () => {
    const groups = ofType(recording, "LogGroup");
    expect(groups.map(({ inputs: group }) => group)).to.have.deep.members(
      LAMBDAS.map((name) => ({
        // AWS adds 26 characters, so that no two stacks of an account share a group.
        namePrefix: `/aws/lambda/s3-uploader-test-${name}-`,
        retentionInDays: DEFAULTS.logRetentionDays,
      })),
    );
    for (const { options } of groups) {
      // A group that version 1.0 deployed keeps its name, and so its entries.
      expect(options.ignoreChanges).to.deep.equal(["name", "namePrefix"]);
    }
  });

  it("have roles that only Lambda can assume, without managed policies", () => {
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
  const guarding = [
    `dynamodb:ConditionCheckItem ${RESERVATIONS}`,
    `dynamodb:GetItem ${LINKS}`,
    `dynamodb:UpdateItem ${LINKS}`,
    `s3:DeleteObject ${BUCKET}/uploads/*`,
    `s3:DeleteObject ${BUCKET}/signed/*`,
    `s3:DeleteObject ${BUCKET}/links/*`,
  ];
  const grantsOf: Record<string, string[]> = {
    manager: [
      `dynamodb:Query ${TABLE}/index/time-index`,
      `dynamodb:Query ${TABLE}/index/link-index`,
      `dynamodb:Query ${TABLE}`,
      `dynamodb:GetItem ${TABLE}`,
      `dynamodb:BatchGetItem ${TABLE}`,
      `dynamodb:UpdateItem ${TABLE}`,
      `dynamodb:DeleteItem ${TABLE}`,
      `dynamodb:Query ${COUNTS}`,
      `dynamodb:UpdateItem ${COUNTS}`,
      `dynamodb:GetItem ${RESERVATIONS}`,
      `dynamodb:PutItem ${RESERVATIONS}`,
      `dynamodb:GetItem ${LINKS}`,
      `dynamodb:PutItem ${LINKS}`,
      `dynamodb:UpdateItem ${LINKS}`,
      `dynamodb:Query ${LINKS}/index/listed-index`,
      `dynamodb:Query ${LINKS}/index/open-index`,
      `s3:PutObject ${BUCKET}/signed/*`,
      `s3:ListMultipartUploadParts ${BUCKET}/signed/*`,
      `s3:AbortMultipartUpload ${BUCKET}/signed/*`,
      `s3:GetObject ${BUCKET}/*`,
      `s3:DeleteObject ${BUCKET}/*`,
      `s3:ListBucket ${BUCKET}`,
    ],
    links: LINKS_GRANTS,
    upload: [
      `s3:PutObject ${BUCKET}/uploads/*`,
      `dynamodb:PutItem ${TABLE}`,
      `dynamodb:UpdateItem ${COUNTS}`,
      `dynamodb:ConditionCheckItem ${RESERVATIONS}`,
      `dynamodb:GetItem ${RESERVATIONS}`,
      `dynamodb:PutItem ${RESERVATIONS}`,
    ],
    record: [
      `dynamodb:GetItem ${TABLE}`,
      `dynamodb:PutItem ${TABLE}`,
      `dynamodb:UpdateItem ${COUNTS}`,
      ...guarding,
      sending,
    ],
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
      "cloudwatch:GetMetricData *",
      `sns:Publish ${ALARM_TOPIC}`,
      `dynamodb:Query ${TABLE}/index/time-index`,
      `dynamodb:GetItem ${TABLE}`,
      `dynamodb:BatchGetItem ${TABLE}`,
      `dynamodb:PutItem ${TABLE}`,
      `dynamodb:UpdateItem ${TABLE}`,
      `dynamodb:DeleteItem ${COUNTS}`,
      `dynamodb:Query ${COUNTS}`,
      `dynamodb:UpdateItem ${COUNTS}`,
      `s3:ListBucket ${BUCKET}`,
      ...guarding,
      `sqs:ReceiveMessage ${QUEUE}`,
      `sqs:DeleteMessage ${QUEUE}`,
    ],
  };

  for (const name of LAMBDAS) {
    it(`let ${name} call the actions that it needs, on the resources that it needs, and nothing else`, () => {
      const logs = `arn:aws:logs:${REGION}:${ACCOUNT_ID}:log-group:/aws/lambda/s3-uploader-test-${name}-1a2b3c4`;
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
    const roles = new Set(ofType(recording, "RolePolicy").map(({ inputs: policy }) => policy.role));
    expect([...roles]).to.have.members(LAMBDAS.map((name) => `${name}-1a2b3c4`));
  });
});
