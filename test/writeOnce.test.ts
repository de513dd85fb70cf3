import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect } from "chai";
import { clientSettings } from "../testing/clients";
import { type Program, startProgram } from "../testing/startProgram";

/** What S3 says: its error's code, or `done`. */
async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "done",
    (error: unknown) => (error as Error).name,
  );
}

async function codeOf(answer: Response): Promise<string> {
  const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1];
  return answer.ok ? "done" : `${answer.status} ${code}`;
}

describe("An object below the prefixes of uploads is written once", () => {
  let program: Program;
  let Bucket: string;
  /** Clients with the keys of the Lambdas' roles, and of the operator. */
  let clients: Record<"upload" | "manager" | "operator", S3Client>;
  let made = 0;

  before(async () => {
    program = await startProgram();
    Bucket = program.bucketName;
    const settings = clientSettings(program.run);
    const keys: Record<string, typeof settings.credentials> = {};
    program.onCall = ({ principal }, lambda) => {
      keys[lambda] = principal;
    };
    const { uploadUrl, managerUrl, managerApiKey } = program.run.outputs as Record<string, string>;
    await fetch(uploadUrl ?? "", { method: "POST", body: "a file" });
    await fetch(`${managerUrl}/events`, { headers: { "x-api-key": managerApiKey ?? "" } });
    const clientOf = (credentials = settings.credentials) =>
      new S3Client({ ...settings, credentials, requestChecksumCalculation: "WHEN_REQUIRED" });
    clients = {
      upload: clientOf(keys.upload),
      manager: clientOf(keys.manager),
      operator: clientOf(),
    };
  });

  after(async () => {
    Object.values(clients).forEach((client) => {
      client.destroy();
    });
    await program.stop();
  });

  /** A key that no test before has used. */
  const newKey = (prefix: string) => `${prefix}key ${made++}`;

  const writers = [
    ["upload", "uploads/", "signed/"],
    ["manager", "signed/", "uploads/"],
  ] as const;
  for (const [name, own, others] of writers) {
    describe(`by the role of ${name}`, () => {
      const put = (Key: string, IfNoneMatch?: string) =>
        outcome(
          clients[name].send(new PutObjectCommand({ Bucket, Key, Body: "bytes", IfNoneMatch })),
        );

      it("with PutObject, which needs If-None-Match", async () => {
        const Key = newKey(own);
        expect(await put(Key)).to.equal("AccessDenied");
        expect(await put(Key, "*")).to.equal("done");
        expect(await put(Key, "*")).to.equal("PreconditionFailed");
        expect(await put(Key)).to.equal("AccessDenied");
        expect(await put(newKey(own), '"an-etag"')).to.equal("NotImplemented");
        expect(await put(newKey(others), "*")).to.equal("AccessDenied");
        expect(await put(newKey(""), "*")).to.equal("AccessDenied");
      });

      it("with a multipart upload, whose last request needs it", async () => {
        const s3 = clients[name];
        const Key = newKey(own);
        const begin = async () => {
          const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
          const part = { Bucket, Key, UploadId, PartNumber: 1, Body: "bytes" };
          const { ETag } = await s3.send(new UploadPartCommand(part));
          const Parts = [{ PartNumber: 1, ETag }];
          return { Bucket, Key, UploadId, MultipartUpload: { Parts } };
        };
        const [first, second] = [await begin(), await begin()];
        const complete = (upload: typeof first, IfNoneMatch?: string) =>
          outcome(s3.send(new CompleteMultipartUploadCommand({ ...upload, IfNoneMatch })));

        expect(await complete(first)).to.equal("AccessDenied");
        expect(await complete(first, "*")).to.equal("done");
        expect(await complete(second)).to.equal("AccessDenied");
        expect(await complete(second, "*")).to.equal("PreconditionFailed");
      });

      it("and never with a form, which cannot have it", async () => {
        const { url, fields } = await createPresignedPost(clients[name], {
          Bucket,
          Key: newKey(own),
        });
        const body = new FormData();
        Object.entries(fields).forEach(([field, value]) => {
          body.append(field, value);
        });
        body.append("file", new Blob(["bytes"]), "file");

        const headers = { "if-none-match": "*" };
        const answers = [
          await fetch(url, { method: "POST", body }),
          await fetch(url, { method: "POST", body, headers }),
        ];

        expect(await Promise.all(answers.map(codeOf))).to.deep.equal(
          Array(2).fill("403 AccessDenied"),
        );
      });

      it("and not by a presigned PUT without it", async () => {
        const command = new PutObjectCommand({ Bucket, Key: newKey(own) });
        const url = await getSignedUrl(clients[name], command);
        const answer = await fetch(url, { method: "PUT", body: "bytes" });
        expect(await codeOf(answer)).to.equal("403 AccessDenied");
      });
    });
  }

  it("by the role of manager, with a copy, which needs If-None-Match", async () => {
    const [from, to] = [newKey("signed/"), newKey("signed/")];
    const CopySource = encodeURI(`${Bucket}/${from}`);
    const put = new PutObjectCommand({ Bucket, Key: from, Body: "bytes", IfNoneMatch: "*" });
    await clients.manager.send(put);
    const copy = (IfNoneMatch?: string) =>
      outcome(
        clients.manager.send(new CopyObjectCommand({ Bucket, Key: to, CopySource, IfNoneMatch })),
      );

    expect(await copy()).to.equal("AccessDenied");
    expect(await copy("*")).to.equal("done");
    expect(await copy("*")).to.equal("PreconditionFailed");
  });

  it("by anybody else, the operator included; other keys may be overwritten", async () => {
    const put = (Key: string, IfNoneMatch?: string) =>
      outcome(
        clients.operator.send(new PutObjectCommand({ Bucket, Key, Body: "bytes", IfNoneMatch })),
      );

    for (const prefix of ["uploads/", "signed/", "links/"]) {
      expect(await put(newKey(prefix))).to.equal("AccessDenied");
      expect(await put(newKey(prefix), "*")).to.equal("done");
    }
    expect(await put("photos/a.jpg")).to.equal("done");
    expect(await put("photos/a.jpg")).to.equal("done");
  });
});
