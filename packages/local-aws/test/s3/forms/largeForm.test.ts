import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { BUCKET, OBJECTS, openBucket, signForm } from "../bucketScene";

const MEGABYTE = Buffer.alloc(1_000_000, "\r\n--0123456789 neither a boundary nor its end --");
const BOUNDARY = "----a-boundary";

/** Sends a form whose file is so many megabytes; only one of them is in memory at a time. */
async function sendForm(
  url: string,
  fields: Record<string, string>,
  megabytes: number,
): Promise<number | undefined> {
  const parts = [...Object.entries(fields), ["file", ""]].map(
    ([name = "", value = ""]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}`,
  );
  const head = parts.join("\r\n");
  const tail = `\r\n--${BOUNDARY}--\r\n`;
  const outgoing = request(url, {
    method: "POST",
    headers: {
      "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
      "content-length": head.length + megabytes * MEGABYTE.length + tail.length,
    },
  });
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  outgoing.write(head);
  for (let sent = 0; sent < megabytes; sent += 1) {
    if (!outgoing.write(MEGABYTE)) {
      await once(outgoing, "drain");
    }
  }
  outgoing.end(tail);
  const [response] = await answered;
  response.resume();
  return response.statusCode;
}

describe("a form of 200 MB", () => {
  it("is stored in a few seconds, byte for byte, and never whole in memory", async () => {
    const scene = await openBucket([["s3:PutObject", OBJECTS]]);
    try {
      const { url, fields } = await signForm(scene, {
        Conditions: [["content-length-range", 1, 200_000_000]],
      });
      const before = process.memoryUsage().arrayBuffers;
      let peak = before;
      const observer = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage().arrayBuffers);
      }, 5);
      const start = performance.now();

      const status = await sendForm(url, fields, 200);
      clearInterval(observer);

      expect(status).to.equal(204);
      expect(performance.now() - start).to.be.below(45_000);
      expect(peak - before).to.be.below(100_000_000);
      const { ETag, ContentLength } = await scene.operator.send(
        new HeadObjectCommand({ Bucket: BUCKET, Key: "a key" }),
      );
      const digest = createHash("md5");
      for (let hashed = 0; hashed < 200; hashed += 1) {
        digest.update(MEGABYTE);
      }
      expect(ContentLength).to.equal(200_000_000);
      expect(ETag).to.equal(`"${digest.digest("hex")}"`);
    } finally {
      await scene.close();
    }
  });
});
