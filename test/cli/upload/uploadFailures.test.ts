import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { apiError, type Fault, s3Error } from "../fakeManager";
import { ignore, large, sha256Of, startUploadTest, type UploadTest } from "./uploadTest";

describe("a failing upload from the command line", () => {
  let test: UploadTest;

  beforeEach(async () => {
    test = await startUploadTest();
  });
  afterEach(() => test.close());

  const passing: [string, string, Fault][] = [
    ["a reset connection", "POST /direct/upload", "reset"],
    ["throttling", "POST /direct/upload", apiError(429, "too_many_requests")],
    ["a server error", "POST /direct/upload", apiError(503, "storage_unavailable")],
    ["a gateway's page", "POST /direct/upload", { status: 502, body: "<html>" }],
  ];
  for (const [what, route, fault] of passing) {
    it(`retries after ${what}, with the same Idempotency-Key`, async () => {
      test.fake.faults = { [route]: [fault, fault] };

      const result = await test.upload(test.file("a.txt", "content"), { asNew: true });

      expect(result.ok).to.equal(true);
      expect(test.fake.requests()).to.deep.equal([route, route, route]);
      expect(
        new Set(test.fake.seen.map(({ headers }) => headers["idempotency-key"])).size,
      ).to.equal(1);
      expect(test.pauses).to.have.lengthOf(2);
    });
  }

  const passingAtS3: [string, Fault][] = [
    ["RequestTimeout", s3Error(400, "RequestTimeout")],
    ["SlowDown", s3Error(503, "SlowDown")],
    ["InternalError", s3Error(500, "InternalError")],
    ["ConditionalRequestConflict", s3Error(409, "ConditionalRequestConflict")],
    ["reset of the connection", "reset"],
  ];
  for (const [what, fault] of passingAtS3) {
    it(`requests a new signature after S3's ${what}`, async () => {
      test.fake.faults = { "PUT /s3": [fault] };

      const result = await test.upload(test.file("a.bin", large));

      expect(result.ok).to.equal(true);
      expect(test.fake.requests()) //
        .to.deep.equal(["POST /uploads", "PUT /s3", "POST /uploads", "PUT /s3"]);
      expect(test.fake.seen[2]?.headers["idempotency-key"]) //
        .to.equal(test.fake.seen[0]?.headers["idempotency-key"]);
      expect(test.fake.seen[3]?.sha256).to.equal(sha256Of(large));
    });
  }

  it("says how to upload a file anew whose event was deleted", async () => {
    test.fake.faults = { "POST /direct/upload": [apiError(410, "event_deleted")] };

    const { ok, error } = await test.upload(test.file("a.txt", "content"));

    expect(ok).to.equal(false);
    expect(error?.code).to.equal("event_deleted");
    expect(error?.message).to.match(/ The option --new makes one\.$/);
    expect(test.fake.requests()).to.deep.equal(["POST /direct/upload"]);
  });

  it("does not send the file again when only S3's answer was lost", async () => {
    test.fake.faults = { "PUT /s3": ["lost answer"] };

    const result = await test.upload(test.file("a.bin", large));

    expect(result.ok).to.equal(true);
    expect(test.fake.requests()).to.deep.equal(["POST /uploads", "PUT /s3", "POST /uploads"]);
  });

  it("backs off exponentially, honours Retry-After, and gives up after five attempts", async () => {
    const down = apiError(503, "storage_unavailable");
    const busy = apiError(429, "too_many_requests", { "retry-after": "30" });
    test.fake.faults = { "POST /direct/upload": [down, down, busy, down, down, down] };

    const result = await test.upload(test.file("a.txt", "content"));

    expect(result).to.deep.include({
      ok: false,
      error: { code: "storage_unavailable", message: "It is storage_unavailable." },
    });
    expect(test.fake.seen).to.have.lengthOf(5);
    expect(test.pauses[2]).to.equal(30_000);
    expect(test.pauses[0]).to.be.within(250, 500);
    expect(test.pauses[1]).to.be.within(500, 1000);
    expect(test.pauses[3]).to.be.within(2000, 4000);
  });

  it("does not retry a refusal, and reports its code and message", async () => {
    test.fake.faults = {
      "POST /direct/upload": [apiError(415, "type_not_allowed")],
      "PUT /s3": [s3Error(403, "AccessDenied")],
    };

    const direct = await test.upload(test.file("a.txt", "content"));
    const presigned = await test.upload(test.file("a.bin", large));

    expect(direct.error?.code).to.equal("type_not_allowed");
    expect(presigned.error) //
      .to.deep.equal({ code: "AccessDenied", message: "S3 & AccessDenied" });
    expect(test.pauses).to.deep.equal([]);
  });

  it("refuses files that it cannot send, without a request", async () => {
    test.fake.presignedMaxBytes = large.length - 1;
    mkdirSync(path.join(test.folder, "directory"));
    const codes: [string, string][] = [
      [path.join(test.folder, "missing"), "file_not_found"],
      [path.join(test.folder, "directory"), "not_a_file"],
      [test.file("empty", ""), "empty_file"],
      [test.file("huge", large), "too_large"],
    ];

    for (const [name, code] of codes) {
      const { ok, error } = await test.upload(name);
      expect([ok, error?.code]).to.deep.equal([false, code]);
      expect(test.fake.seen).to.deep.equal([]);
    }
  });

  const changes: [string, (name: string) => void][] = [
    [
      "grows",
      (name) => {
        appendFileSync(name, "more");
      },
    ],
    [
      "shrinks",
      (name) => {
        writeFileSync(name, large.subarray(1));
      },
    ],
    [
      "gets other bytes",
      (name) => {
        writeFileSync(name, randomBytes(large.length));
      },
    ],
  ];
  for (const [what, change] of changes) {
    it(`stores nothing of a file that ${what} after it was hashed`, async () => {
      const name = test.file("a.bin", large);

      const result = await test.upload(
        name,
        {},
        {
          phase: (phase) => {
            if (phase === "sending") {
              change(name);
            }
          },
          advance: ignore,
          notice: ignore,
        },
      );

      expect(result.error?.code).to.equal("file_changed");
      expect(test.fake.requests()).to.deep.equal(["POST /uploads"]);
    });
  }
});
