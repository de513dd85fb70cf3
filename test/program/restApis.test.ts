import { expect } from "chai";
import { DEFAULTS } from "../../config";
import { EVERY_ANSWER } from "../../runtime/http";
import { ACCOUNT_ID, type Inputs, REGION, restApiId } from "../../testing/mockedAws";
import {
  json,
  ofType,
  only,
  OTHER_SETTINGS,
  type Recording,
  recordProgram,
  valueOf,
} from "../../testing/recordingMocks";
import { functionArn, variablesOf } from "./names";

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
  responseParameters?: Record<string, string>;
}

const KEYED_APIS = ["uploads", "manager"];
const APIS = [...KEYED_APIS, "links"];

const KEY_IN_HEADER = { api_key: { type: "apiKey", name: "x-api-key", in: "header" } };

function swaggerOf(recording: Recording, api: string): Swagger {
  return json(only(recording, "RestApi", api), "body") as Swagger;
}

/** The errors that API Gateway answers itself: status, code and message, by type. */
function ownAnswersOf(recording: Recording, api: string) {
  const responses = swaggerOf(recording, api)["x-amazon-apigateway-gateway-responses"];
  const answers = Object.entries(responses).map(([type, { statusCode, responseTemplates }]) => {
    expect(responseTemplates).to.have.all.keys("application/json");
    const body = (responseTemplates["application/json"] ?? "")
      .replaceAll("$context.error.messageString", '"A \\"quoted\\" message"')
      .replaceAll("$context.requestId", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef");
    expect(body, type).not.to.include("$");
    const { error } = JSON.parse(body) as { error: Record<string, string> };
    expect(error.message, type).to.be.a("string").and.not.to.equal("");
    return [type, { answer: `${statusCode} ${error.code ?? ""}`, message: error.message }] as const;
  });
  return Object.fromEntries(answers);
}

describe("The program's REST APIs", () => {
  let recording: Recording;
  let keyed: Recording;

  before(async () => {
    recording = await recordProgram();
    keyed = await recordProgram(OTHER_SETTINGS);
  });

  function inputs(type: string, name: string): Inputs {
    return only(recording, type, name).inputs;
  }

  function integrationWith(lambda: string) {
    return {
      type: "aws_proxy",
      httpMethod: "POST",
      passthroughBehavior: "when_no_match",
      uri:
        `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/` +
        `${functionArn(lambda)}/invocations`,
    };
  }

  /** `Lambda API/stage/method/path` of each permission that API Gateway has. */
  function permittedRoutes(): string[] {
    const executeApi = `arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:`;
    return ofType(recording, "Permission")
      .map(({ inputs: permission }) => permission)
      .filter(({ principal }) => principal === "apigateway.amazonaws.com")
      .map(({ function: lambda, sourceArn }) =>
        `${String(lambda)} ${String(sourceArn)}`.replace(executeApi, ""),
      );
  }

  it("may invoke their own Lambda for their own routes, and nothing else", () => {
    const [uploads, manager, links] = APIS.map(restApiId);
    expect(permittedRoutes()).to.have.members([
      `upload-1a2b3c4 ${uploads}/*/POST/upload`,
      `upload-1a2b3c4 ${uploads}/*/*/upload`,
      `manager-1a2b3c4 ${manager}/*/*/{proxy+}`,
      `manager-1a2b3c4 ${manager}/*/*/console`,
      `manager-1a2b3c4 ${manager}/*/*/console/{proxy+}`,
      `links-1a2b3c4 ${links}/*/*/`,
      `links-1a2b3c4 ${links}/*/*/{proxy+}`,
    ]);
  });

  it("are compressed where lists are; a file's own encoding reaches the upload Lambda", () => {
    for (const api of ["manager", "links"]) {
      expect(inputs("RestApi", api)).to.include({ minimumCompressionSize: "1024" });
    }
    expect(inputs("RestApi", "uploads").minimumCompressionSize).to.equal(undefined);
  });

  for (const api of APIS) {
    it(`${api}: passes bodies on byte for byte, whatever their type`, () => {
      expect(inputs("RestApi", api).binaryMediaTypes).to.deep.equal(["*/*"]);
      expect(swaggerOf(recording, api)["x-amazon-apigateway-binary-media-types"]).to.deep.equal([
        "*/*",
      ]);
    });

    it(`${api}: gives its own errors the form of the Lambda's: JSON with code and message`, () => {
      const answers = Object.entries(ownAnswersOf(recording, api));
      expect(Object.fromEntries(answers.map(([type, { answer }]) => [type, answer]))).to.deep.equal(
        {
          ACCESS_DENIED: "403 forbidden",
          DEFAULT_4XX: "undefined bad_request",
          DEFAULT_5XX: "undefined server_error",
          INTEGRATION_TIMEOUT: "504 timeout",
          INVALID_API_KEY: "403 forbidden",
          MISSING_AUTHENTICATION_TOKEN: "404 not_found",
          QUOTA_EXCEEDED: "429 quota_exceeded",
          REQUEST_TOO_LARGE: "413 too_large",
          THROTTLED: "429 too_many_requests",
        },
      );
    });

    it(`${api}: gives its own errors the headers of every answer of the Lambda's`, () => {
      const responses = swaggerOf(recording, api)["x-amazon-apigateway-gateway-responses"];
      const wanted = { "Cache-Control": "no-store", ...EVERY_ANSWER };
      for (const { responseParameters } of Object.values(responses)) {
        for (const [name, value] of Object.entries(wanted)) {
          expect(responseParameters).to.include({
            [`gatewayresponse.header.${name}`]: `'${value}'`,
          });
        }
      }
    });

    it(`${api}: says after a 429 when to come again`, () => {
      const responses = swaggerOf(recording, api)["x-amazon-apigateway-gateway-responses"];
      for (const type of ["THROTTLED", "QUOTA_EXCEEDED"]) {
        const { responseParameters = {} } = responses[type] ?? {};
        expect(responseParameters["gatewayresponse.header.Retry-After"]).to.match(/^'\d+'$/);
      }
    });

    it(`${api}: throttles every route of its stage`, () => {
      expect(inputs("MethodSettings", api)).to.deep.equal({
        restApi: restApiId(api),
        stageName: "stage",
        methodPath: "*/*",
        settings: {
          throttlingRateLimit: DEFAULTS.requestsPerSecond,
          throttlingBurstLimit: DEFAULTS.burst,
        },
      });
    });
  }

  for (const api of KEYED_APIS) {
    it(`${api}: answers a body that is too large with the route for large files`, () => {
      const { message } = ownAnswersOf(recording, api).REQUEST_TOO_LARGE ?? {};
      expect(message).to.include("POST /uploads");
    });

    it(`${api}: has at most one key, in a usage plan with the limits of the stage`, () => {
      // AWS generates the key.
      expect(only(keyed, "ApiKey", api).inputs).not.to.have.property("value");
      expect(only(keyed, "UsagePlan", api).inputs).to.deep.equal({
        apiStages: [{ apiId: restApiId(api), stage: "stage" }],
        throttleSettings: { rateLimit: 1, burstLimit: 5000 },
      });
      expect(only(keyed, "UsagePlanKey", api).inputs).to.deep.equal({
        keyId: `${api}-1a2b3c4`,
        keyType: "API_KEY",
        usagePlanId: `${api}-1a2b3c4`,
      });
    });
  }

  describe("for uploads", () => {
    it("has the upload Lambda answer POST /upload, and refuse other methods", () => {
      const { paths } = swaggerOf(recording, "uploads");
      expect(Object.keys(paths)).to.deep.equal(["/upload"]);
      expect(paths["/upload"]).to.have.all.keys("post", "x-amazon-apigateway-any-method");
      for (const operation of Object.values(paths["/upload"] ?? {})) {
        const integration = operation["x-amazon-apigateway-integration"];
        expect(integration).to.deep.equal(integrationWith("upload"));
      }
    });

    it("lets pages of corsOrigins read what API Gateway itself answers", async () => {
      const allowed = "gatewayresponse.header.Access-Control-Allow-Origin";
      const allowedBy = (program: Recording) => {
        const responses = swaggerOf(program, "uploads")["x-amazon-apigateway-gateway-responses"];
        const values = Object.values(responses).map(
          ({ responseParameters }) => responseParameters?.[allowed],
        );
        return [...new Set(values)];
      };
      expect(allowedBy(recording)).to.deep.equal([undefined]);
      const one = await recordProgram({ corsOrigins: "https://www.example.com" });
      expect(allowedBy(one)).to.deep.equal(["'https://www.example.com'"]);
      // Its answers have constant headers, so there is no choice among several.
      expect(allowedBy(keyed)).to.deep.equal(["'*'"]);
    });

    it("needs no key", () => {
      const { paths, securityDefinitions } = swaggerOf(recording, "uploads");
      expect(securityDefinitions).to.equal(undefined);
      for (const operation of Object.values(paths["/upload"] ?? {})) {
        expect(operation).not.to.have.property("security");
      }
      expect(ofType(recording, "ApiKey").map(({ name }) => name)).to.deep.equal(["manager"]);
    });

    it("with requireApiKey, needs a key for POST, in the header x-api-key", () => {
      const { paths, securityDefinitions } = swaggerOf(keyed, "uploads");
      expect(paths["/upload"]?.post?.security).to.deep.equal([{ api_key: [] }]);
      expect(securityDefinitions).to.deep.equal(KEY_IN_HEADER);
    });

    it("with requireApiKey, has a command that fetches the key", async () => {
      const { uploadApiKey, uploadCommand } = keyed.outputs;
      expect(await valueOf(uploadApiKey)).to.equal("a-key-for-the-header-x-api-key");
      expect(await valueOf(uploadCommand)).to.include(
        `-H "x-api-key: $(npx pulumi stack output uploadApiKey --show-secrets)"`,
      );
    });
  });

  describe("for the manager", () => {
    it("has the manager Lambda answer every method of every path, and needs a key for all but the console", () => {
      for (const each of [recording, keyed]) {
        const { paths, securityDefinitions } = swaggerOf(each, "manager");
        const integration = integrationWith("manager");
        const console = {
          "x-amazon-apigateway-any-method": { "x-amazon-apigateway-integration": integration },
        };
        expect(paths).to.deep.equal({
          "/{proxy+}": {
            "x-amazon-apigateway-any-method": {
              "x-amazon-apigateway-integration": integration,
              security: [{ api_key: [] }],
            },
          },
          "/console": console,
          "/console/{proxy+}": console,
        });
        expect(securityDefinitions).to.deep.equal(KEY_IN_HEADER);
      }
    });

    it("has the URL of its output, without a slash at the end", async () => {
      const url = await valueOf(recording.outputs.managerUrl);
      expect(url).to.equal(
        `https://${restApiId("manager")}.execute-api.${REGION}.amazonaws.com/stage`,
      );
    });

    it("generates a secret of 32 bytes for its cursors", () => {
      expect(inputs("RandomBytes", "manager-cursors")).to.deep.equal({ length: 32 });
    });
  });

  describe("for upload links", () => {
    it("has the links Lambda answer every method of every path, without a key", () => {
      for (const each of [recording, keyed]) {
        const { paths, securityDefinitions } = swaggerOf(each, "links");
        const route = {
          "x-amazon-apigateway-any-method": {
            "x-amazon-apigateway-integration": integrationWith("links"),
          },
        };
        expect(paths).to.deep.equal({ "/": route, "/{proxy+}": route });
        expect(securityDefinitions).to.equal(undefined);
      }
    });

    it("has the URL of its output, without a slash at the end", async () => {
      expect(await valueOf(recording.outputs.linkUrl)).to.equal(
        `https://${restApiId("links")}.execute-api.${REGION}.amazonaws.com/stage`,
      );
    });

    it("signs tickets with a secret of 32 bytes, and keeps the one before it valid", async () => {
      const secretsOf = (program: Recording) =>
        ofType(program, "RandomBytes")
          .filter(({ name }) => name.startsWith("links-ticket-"))
          .map(({ name, inputs: { length } }) => [name, length]);
      const inUse = (program: Recording) => variablesOf(program, "links").LINK_SECRETS?.split(",");

      expect(secretsOf(recording)).to.deep.equal([["links-ticket-1", 32]]);
      expect(inUse(recording)).to.have.length(1);
      const rotated = await recordProgram({ linkSecretVersion: "3" });
      // Newest first.
      expect(secretsOf(rotated)).to.deep.equal([
        ["links-ticket-3", 32],
        ["links-ticket-2", 32],
      ]);
      expect(inUse(rotated)).to.have.length(2);
    });
  });
});
