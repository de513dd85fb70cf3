import assert from "node:assert/strict";
import { AwsError } from "../../../awsError";
import { createFormCutter } from "../../../s3/forms/formCutter";
import { readPostForm } from "../../../s3/forms/postForm";
import { checkPostPolicy } from "../../../s3/forms/postPolicy";
import type { Target } from "../fuzz";
import { cut, mutateBytes, mutateJson, mutateText } from "../mutate";
import type { Random } from "../random";

const NOW = new Date("2026-01-02T03:04:05Z");

const BOUNDARY = "----boundary";

const CONTENT_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

const POLICY = {
  expiration: "2027-01-01T00:00:00Z",
  conditions: [
    { bucket: "bucket" },
    ["starts-with", "$key", "uploads/"],
    ["eq", "$content-type", "text/plain"],
    ["content-length-range", 0, 1000],
  ],
};

const TOKENS = [
  `\r\n--${BOUNDARY}`,
  `\r\n--${BOUNDARY}--\r\n`,
  "\r\n\r\n",
  'Content-Disposition: form-data; name="',
  ' name="',
  ' filename="',
  'name="file"',
  "content-encoding",
  "aws-chunked",
  "${filename}",
  '\\"',
];

const VOCABULARY = {
  names: ["expiration", "conditions", "bucket", "key", "acl", "x-amz-meta-a", "__proto__"],
  texts: ["eq", "starts-with", "content-length-range", "$key", "$", "uploads/", POLICY.expiration],
};

function encode(random: Random): Buffer {
  const policy = random.chance(0.5) ? POLICY : mutateJson(random, POLICY, VOCABULARY);
  const fields = {
    key: "uploads/${filename}",
    "content-type": "text/plain",
    policy: Buffer.from(JSON.stringify(policy)).toString("base64"),
  };
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a b.txt"\r\n\r\n`;
  const content = random.bytes(random.pick([0, 1, 100, 1000]));
  const end = `\r\n--${BOUNDARY}--\r\n`;
  return Buffer.concat([...parts, file, content, end].map((part) => Buffer.from(part)));
}

/** Forms with a file: read as a whole and cut as they arrive, the file is the same; their policies. */
export const forms: Target = {
  name: "forms",
  make(random) {
    const valid = encode(random);
    const body = random.chance(0.1) ? valid : mutateBytes(random, valid, TOKENS);
    const contentType = random.chance(0.9)
      ? CONTENT_TYPE
      : mutateText(random, CONTENT_TYPE, ['"', ";", "boundary="]);
    const pieces = cut(random, body);
    return {
      input: { contentType, body: body.toString("latin1") },
      run() {
        const cutter = createFormCutter(contentType);
        const cutOut = Buffer.concat(pieces.flatMap((piece) => cutter.push(piece)));
        const rest = cutter.end();
        const form = readPostForm(contentType, { body });
        assert(Buffer.isBuffer(form.file) && cutOut.equals(form.file), "The file is another one.");
        const again = readPostForm(contentType, { body: rest });
        assert.deepEqual([again.key, [...again.fields]], [form.key, [...form.fields]]);
        checkPostPolicy(form, "bucket", NOW);
      },
    };
  },
  isRefusal: (error) => error instanceof AwsError,
};
