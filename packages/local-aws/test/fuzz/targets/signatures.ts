import assert from "node:assert/strict";
import { createHmac, hash } from "node:crypto";
import { AwsError } from "../../../awsError";
import type { ServiceApi } from "../../../gateway/service";
import { COMMON_RULES } from "../../../gateway/signature/canonicalRequest";
import { claimedService } from "../../../gateway/signature/claim";
import { verifySignature } from "../../../gateway/signature/verify";
import type { HttpRequest } from "../../../http";
import { s3Api } from "../../../s3/service";
import type { Target } from "../fuzz";
import { mutateText } from "../mutate";
import type { Random } from "../random";

const NOW = new Date("2026-01-02T03:04:05Z");
const TIMESTAMP = "20260102T030405Z";
const KEY = "AKIAFUZZ";
const SECRET = "secret of the fuzz run";
const SCOPE = "20260102/us-east-1";

const SERVICES: Pick<ServiceApi, "name" | "errors" | "signing">[] = [
  s3Api,
  { name: "dynamodb", errors: s3Api.errors, signing: COMMON_RULES },
];

const TOKENS = [
  ...["AWS4-HMAC-SHA256", "Credential=", "SignedHeaders=", "Signature=", ";host", "aws4_request"],
  ...["?X-Amz-Signature=", "&X-Amz-Credential=", "&X-Amz-Expires=1e3", "&X-Amz-Date=", "&a=%C3"],
  ...["?X-Amz-Algorithm=AWS4-HMAC-SHA256", `${KEY}/${SCOPE}/sns/aws4_request`, "/__proto__/"],
];

const PAYLOADS = [
  hash("sha256", ""),
  "UNSIGNED-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
];

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sign(service: string, canonical: string): string {
  const text = [
    "AWS4-HMAC-SHA256",
    TIMESTAMP,
    `${SCOPE}/${service}/aws4_request`,
    hash("sha256", canonical),
  ];
  const key = ["20260102", "us-east-1", service, "aws4_request"].reduce<string | Buffer>(
    (derived, part) => hmac(derived, part),
    `AWS4${SECRET}`,
  );
  return hmac(key, text.join("\n")).toString("hex");
}

/** A request without a body, signed in its header or its query. */
function signed(service: string, payload: string, inQuery: boolean): HttpRequest {
  const credential = `${KEY}/${SCOPE}/${service}/aws4_request`;
  const headers: Record<string, string> = { host: "127.0.0.1:4510" };
  const body = Buffer.alloc(0);
  if (inQuery) {
    const query =
      `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(credential)}` +
      `&X-Amz-Date=${TIMESTAMP}&X-Amz-Expires=60&X-Amz-SignedHeaders=host`;
    const hashed = service === "s3" ? "UNSIGNED-PAYLOAD" : hash("sha256", "");
    const canonical = ["GET", "/bucket/key", query, "host:127.0.0.1:4510", "", "host", hashed];
    const url = `/bucket/key?${query}&X-Amz-Signature=${sign(service, canonical.join("\n"))}`;
    return { method: "GET", url, headers, body };
  }
  const hashed = service === "s3" ? payload : hash("sha256", "");
  Object.assign(headers, { "x-amz-content-sha256": payload, "x-amz-date": TIMESTAMP });
  const names = Object.keys(headers).sort();
  const canonical = [
    ...["GET", "/bucket/key", ""],
    ...names.map((name) => `${name}:${headers[name] ?? ""}`),
    ...["", names.join(";"), hashed],
  ];
  headers.authorization =
    `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, ` +
    `Signature=${sign(service, canonical.join("\n"))}`;
  return { method: "GET", url: "/bucket/key", headers, body };
}

function mutate(random: Random, request: HttpRequest): HttpRequest {
  const headers = new Map(Object.entries(request.headers));
  let { url, body } = request;
  for (let changes = 1 + random.below(2); changes > 0; changes -= 1) {
    const name = random.pick([...headers.keys(), "url", "body", "x-amz-meta-a", "__proto__"]);
    if (name === "url") {
      url = mutateText(random, url, TOKENS);
    } else if (name === "body") {
      body = Buffer.from(mutateText(random, "0\r\n\r\n", TOKENS));
    } else {
      // One character for each byte, as Node.js reads headers.
      const value = mutateText(random, headers.get(name) ?? "a", TOKENS);
      headers.set(name, Buffer.from(value).toString("latin1"));
    }
  }
  return { ...request, url, headers: Object.fromEntries(headers), body };
}

/** Signatures of requests: one that verifies is of the service and the key that it says. */
export const signatures: Target = {
  name: "signatures",
  make(random) {
    const service = random.pick(SERVICES);
    const payload = random.pick(PAYLOADS);
    const valid = signed(service.name, payload, random.chance(0.5));
    const isValid = random.chance(0.02) && !payload.startsWith("STREAMING");
    const request = isValid ? valid : mutate(random, valid);
    const secretOf = (id: string) => (id === KEY ? { secretAccessKey: SECRET } : undefined);
    return {
      input: { ...request, body: request.body.toString() },
      run() {
        const claimed = claimedService(request);
        let call;
        try {
          call = verifySignature(service, request, secretOf, NOW);
        } catch (error) {
          assert(!isValid, `A valid signature is refused: ${String(error)}`);
          throw error;
        }
        assert.deepEqual(
          [call.service, call.accessKeyId, claimed],
          [service.name, KEY, service.name],
        );
      },
    };
  },
  isRefusal: (error) => error instanceof AwsError && error.status < 500,
};
