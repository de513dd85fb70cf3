import { S3Client } from "@aws-sdk/client-s3";
import { RunError } from "@pulumi/pulumi";
import { expect } from "chai";
import { type CallbackFactory, CallbackLambda } from "../../../components/lambda/callbackLambda";
import type { Link } from "../../../components/link";
import type { Environment } from "../../../runtime/environment";
import { filesOf, only, record, type Recording } from "../../../testing/recordingMocks";
import { load } from "./loadBundle";

const LIMITS = { timeoutSeconds: 3, memoryMegabytes: 128, logRetentionDays: 1 };

type Factory = CallbackFactory<never, unknown, "GREETING">;

/** Common in a plain Lambda, but a captured callback cannot have it. */
const clientOfModule = new S3Client({ region: "eu-central-1" });

/** Pulumi would serialize these as empty objects. */
const aMap = new Map([["a", 1]]);
const aSet = new Set(["a"]);
const aDate = new Date(0);
const bytes = new Uint8Array(1);
const inAList = [new Map()];

const plain = { names: ["a"], text: "b" };
const PATTERN = /^b+$/u;
const helper = () => plain.names;

function recordLambda(
  callbackFactory: Factory,
  files?: Record<string, string>,
): Promise<Recording> {
  return record({ "aws:region": "eu-central-1" }, () => {
    new CallbackLambda("greet", {
      callbackFactory,
      description: "Greets",
      files,
      environment: { GREETING: "hello" },
      limits: LIMITS,
    });
    return {};
  });
}

describe("CallbackLambda", () => {
  it("packs the callback into one file, and gives the function its role and log", async () => {
    const recording = await recordLambda(
      (environment) => () => Promise.resolve(environment("GREETING")),
    );

    expect([recording.error, ...recording.rejections]).to.deep.equal([undefined]);
    expect(recording.registrations.map(({ type }) => type)).to.have.members([
      "s3-uploader:lambda:CallbackLambda",
      "aws:cloudwatch/logGroup:LogGroup",
      "aws:iam/role:Role",
      "aws:iam/rolePolicy:RolePolicy",
      "aws:lambda/function:Function",
    ]);
    const lambda = only(recording, "Function");
    expect(Object.keys(await filesOf(lambda))).to.deep.equal(["index.js"]);
    expect(lambda.dependencies).to.include("aws:iam/rolePolicy:RolePolicy greet");
  });

  it("packs given files beside the code", async () => {
    const texts = { "greetings.json": '["hello"]', "index.js": "not the code" };
    const recording = await recordLambda(
      (environment) => () => Promise.resolve(environment("GREETING")),
      texts,
    );

    const { "index.js": code, ...others } = await filesOf(only(recording, "Function"));
    expect(others).to.deep.equal({ "greetings.json": '["hello"]' });
    expect(code).to.include("GREETING").and.not.to.include("not the code");
  });

  it("gives the factory the variables of its links and its own, and those of Lambda", async () => {
    const names: Link<"NAME"> = { environment: { NAME: "you" }, grants: [] };
    const recording = await record({ "aws:region": "eu-central-1" }, () => {
      const factory = (environment: Environment<"GREETING" | "NAME" | "LAMBDA_TASK_ROOT">) => () =>
        Promise.resolve(`${environment("GREETING")} ${environment("NAME")}`);
      new CallbackLambda("greet", {
        callbackFactory: factory,
        description: "Greets",
        links: [names],
        environment: { GREETING: "hello" },
        limits: LIMITS,
      });
      return {};
    });

    const lambda = only(recording, "Function");
    expect(lambda.inputs.environment).to.deep.equal({
      variables: { GREETING: "hello", NAME: "you" },
    });
  });

  it("fails tsc where it lacks a variable that its factory reads, and its start by name", async () => {
    const factory = (environment: Environment<"GREETING" | "NAME">) => {
      const greeting = `${environment("GREETING")} ${environment("NAME")}`;
      return () => Promise.resolve(greeting);
    };
    const recording = await record({ "aws:region": "eu-central-1" }, () => {
      new CallbackLambda("greet", {
        // @ts-expect-error -- NAME is in no link, and not in the environment.
        callbackFactory: factory,
        description: "Greets",
        links: [],
        environment: { GREETING: "hello" },
        limits: LIMITS,
      });
      return {};
    });

    const { "index.js": code = "" } = await filesOf(only(recording, "Function"));
    expect(() => load(code)).to.throw(/The environment variable \w+ is not set\./);
  });

  it("refuses a client that was built outside of the factory, by name and with advice", async () => {
    const { rejections, registrations } = await recordLambda(() => () => {
      clientOfModule.destroy();
      return Promise.resolve();
    });

    expect(registrations.map(({ type }) => type)).not.to.include("aws:lambda/function:Function");
    expect(rejections).to.have.length(1);
    const [error] = rejections as Error[];
    expect(RunError.isInstance(error)).to.equal(true);
    expect(error?.message).to.match(
      /test\/components\/lambda\/callbackLambda\.test\.ts: The callback of Lambda "greet" cannot be packed: it captures "clientOfModule"/,
    );
    expect(error?.message).to.include("clientOfModule");
    expect(error?.message).to.include("Capture functions and plain data only");
  });

  const capturing: Record<string, [string, CallbackFactory<never, unknown>]> = {
    "Map that is read": ["aMap", () => () => Promise.resolve(aMap.get("a"))],
    "Map that is spread": ["aMap", () => () => Promise.resolve([...aMap])],
    "Set that is read": ["aSet", () => () => Promise.resolve(aSet.has("a"))],
    "Set that is counted": ["aSet", () => () => Promise.resolve(aSet.size)],
    Date: ["aDate", () => () => Promise.resolve(aDate.getTime())],
    Uint8Array: ["bytes", () => () => Promise.resolve(bytes[0])],
    "list with a Map": ["inAList", () => () => Promise.resolve(inAList.length)],
  };

  for (const [type, [variable, callbackFactory]] of Object.entries(capturing)) {
    it(`refuses a captured ${type}, which Pulumi would serialize without its contents, by its name`, async () => {
      const { rejections } = await recordLambda(callbackFactory);

      expect(rejections).to.have.length(1);
      const { message } = rejections[0] as Error;
      expect(message).to.include('Lambda "greet" cannot be packed');
      expect(message).to.include(variable);
    });
  }

  it("accepts plain data: lists, objects, texts, patterns, functions of this project", async () => {
    const { rejections } = await recordLambda(
      () => () =>
        Promise.resolve([
          plain.names.map((name) => name.trim()),
          PATTERN.test(plain.text),
          helper.call(undefined),
          Object.hasOwn(plain, "text"),
        ]),
    );

    expect(rejections).to.deep.equal([]);
  });
});
