import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { AwsError } from "../../awsError";
import { createTestHost, functionConfig, type TestHost } from "./testHost";

const COUNTER = "let calls = 0; exports.handler = async (event) => ({ event, calls: ++calls });";

/** The error that a promise rejects with. */
async function awsError(promise: Promise<unknown>): Promise<AwsError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(AwsError);
  return error as AwsError;
}

describe("Lambda host: invoking", () => {
  let host: TestHost;
  beforeEach(() => {
    host = createTestHost();
  });
  afterEach(() => host.dispose());

  it("answers with the handler's result and keeps the environment for the next invocation", async () => {
    const name = await host.create(COUNTER);

    const first = await host.invoke(name, { file: "a" });
    const second = await host.invoke(name, '{"file":"b"}');

    expect(JSON.parse(first.payload)).to.deep.equal({ event: { file: "a" }, calls: 1 });
    expect(JSON.parse(second.payload)).to.deep.equal({ event: { file: "b" }, calls: 2 });
    expect([first.coldStart, second.coldStart]).to.deep.equal([true, false]);
    expect(first).not.to.have.property("functionError");
    expect(first.requestId)
      .to.match(/^[0-9a-f-]{36}$/)
      .and.not.equal(second.requestId);
  });

  it("is quick at the first invocation after warm()", async () => {
    const name = await host.create(COUNTER);

    await Promise.all([host.warm(name), host.warm(name)]);
    const result = await host.invoke(name, {});

    expect(result.coldStart).to.equal(false);
  });

  it("accepts names, ARNs and versions of a function", async () => {
    const name = await host.create(COUNTER);
    const arn = host.functionArn(name);

    const calls = [];
    for (const target of [name, arn, `${arn}:$LATEST`, `123456789012:function:${name}`]) {
      const { payload } = await host.invoke(target, {});
      calls.push((JSON.parse(payload) as { calls: number }).calls);
    }

    expect(calls).to.deep.equal([1, 2, 3, 4]);
  });

  it("loads ES modules and handlers in folders", async () => {
    const files = { "src/main.mjs": "export const run = async () => import.meta.filename;" };
    const name = await host.create("", { files, handler: "src/main.run" });

    const { payload } = await host.invoke(name, {});

    expect(payload).to.include(join(name, "src", "main.mjs"));
  });

  it("gives the handler AWS's context", async () => {
    const name = await host.create(
      `exports.handler = async (event, context) =>
        ({ ...context, left: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID });`,
      { timeoutSeconds: 60 },
    );

    const { payload, requestId } = await host.invoke(name, {});
    const { left, trace, ...context } = JSON.parse(payload) as Record<string, unknown>;

    expect(context).to.include({
      functionName: name,
      functionVersion: "$LATEST",
      invokedFunctionArn: host.functionArn(name),
      memoryLimitInMB: "128",
      awsRequestId: requestId,
      logGroupName: `/aws/lambda/${name}`,
    });
    expect(left).to.be.within(30_000, 60_000);
    expect(trace).to.match(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
  });

  it("sets AWS's variables, the function's own, and none of the host's", async () => {
    process.env.HOST_SECRET = "must not be seen";
    const name = await host.create("exports.handler = async () => process.env;", {
      environment: { TABLE_NAME: "events", TZ: "Europe/Berlin" },
      credentials: { accessKeyId: "AKID", secretAccessKey: "s", sessionToken: "t" },
    });

    const { payload } = await host.invoke(name, {});
    delete process.env.HOST_SECRET;
    const environment = JSON.parse(payload) as Record<string, string>;

    expect(Object.keys(environment).sort()).to.deep.equal(
      [
        ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"],
        ...["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_RUNTIME_API"],
        ...["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION"],
        ...["AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_INITIALIZATION_TYPE"],
        ...["AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"],
        ...["LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER", "_X_AMZN_TRACE_ID"],
        ...["PATH", "LANG", "TZ", "HOME", "TABLE_NAME"],
      ].sort(),
    );
    expect(environment).to.include({
      AWS_REGION: "eu-central-1",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
      AWS_SESSION_TOKEN: "t",
      TABLE_NAME: "events",
      TZ: "Europe/Berlin",
    });
  });

  it("refuses variables that AWS reserves", async () => {
    const error = await awsError(host.create(COUNTER, { environment: { AWS_REGION: "x" } }));

    expect(error.code).to.equal("InvalidParameterValueException");
    expect(error.message).to.include("AWS_REGION");
  });

  it("runs in UTC, in the task root, with only the package's files", async () => {
    const name = await host.create(
      `exports.handler = async () => ({ cwd: process.cwd(), root: process.env.LAMBDA_TASK_ROOT,
         files: require("node:fs").readdirSync("."), offset: new Date().getTimezoneOffset() });`,
    );

    const { payload } = await host.invoke(name, {});
    const { cwd, root, files, offset } = JSON.parse(payload) as Record<string, unknown>;

    expect({ cwd, files, offset }).to.deep.equal({ cwd: root, files: ["index.js"], offset: 0 });
  });

  it("misses a package that only the folders above the bundle have", async () => {
    const outside = join(host.workDir, "node_modules", "outside");
    mkdirSync(outside, { recursive: true });
    writeFileSync(join(outside, "index.js"), "");
    const script = await host.create('require("outside"); exports.handler = async () => 1;');
    const inside = { "index.js": 'exports.handler = async () => require("inside");' };
    const name = await host.create("", {
      files: { ...inside, "node_modules/inside/index.js": "module.exports = 'found';" },
    });

    const missing = await host.invoke(script, {});
    const found = await host.invoke(name, {});

    expect(missing.errorType).to.equal("Runtime.ImportModuleError");
    expect(missing.errorMessage).to.include("Cannot find module 'outside'");
    expect(found.payload).to.equal('"found"');
  });

  it("refuses a package file outside of the package", async () => {
    const error = await awsError(host.create("", { files: { "../outside.js": "" } }));

    expect(error.code).to.equal("InvalidParameterValueException");
  });

  it("names a function that does not exist, or exists already", async () => {
    const name = await host.create(COUNTER);
    const unknown = await awsError(host.invoke("nobody", {}));
    const twice = await awsError(host.createFunction(functionConfig(name, COUNTER)));

    expect([unknown.code, unknown.status]).to.deep.equal(["ResourceNotFoundException", 404]);
    expect(unknown.message).to.include(":function:nobody");
    expect([twice.code, twice.status]).to.deep.equal(["ResourceConflictException", 409]);
  });

  it("refuses requests that are not JSON or larger than 6 MiB", async () => {
    const name = await host.create("exports.handler = async (text) => text.length;");
    const limit = 6_291_456;

    const largest = await host.invoke(name, JSON.stringify("x".repeat(limit - 2)));
    const tooLarge = await awsError(host.invoke(name, JSON.stringify("x".repeat(limit - 1))));
    const invalid = await awsError(host.invoke(name, "{"));

    expect(largest.payload).to.equal(String(limit - 2));
    expect([tooLarge.code, tooLarge.status]).to.deep.equal(["RequestEntityTooLargeException", 413]);
    expect([invalid.code, invalid.status]).to.deep.equal(["InvalidRequestContentException", 400]);
  });

  it("fails a response larger than 6,291,556 bytes, and keeps the environment", async () => {
    const name = await host.create(
      "let calls = 0; exports.handler = async (n) => n ? 'x'.repeat(n - 2) : ++calls;",
    );

    const largest = await host.invoke(name, "6291556");
    const tooLarge = await host.invoke(name, "6291557");
    const next = await host.invoke(name, "0");

    expect(largest.payload).to.have.length(6_291_556);
    expect(tooLarge.errorType).to.equal("Function.ResponseSizeTooLarge");
    expect(tooLarge.functionError).to.equal("Unhandled");
    expect(next).to.include({ payload: "1", coldStart: false });
  });

  it("reports each invocation, with the origin that the caller gave", async () => {
    const name = await host.create(COUNTER);

    await host.invoke(name, {}, { requestId: "3e1f0f0a-0000-4000-8000-000000000000", async: true });

    expect(host.reports).to.have.length(1);
    expect(host.reports[0]).to.include({
      functionName: name,
      requestId: "3e1f0f0a-0000-4000-8000-000000000000",
      async: true,
      outcome: "ok",
      coldStart: true,
    });
  });
});
