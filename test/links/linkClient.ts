/** An upload in parts that a link has begun. */
export interface Begun {
  key: string;
  uploadId: string;
  event_id: string;
  /** Where the size was declared. */
  part_size?: number;
}

/** A JSON answer. */
export interface Answer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
  /** Of an error. */
  code?: string;
  message?: string;
}

export interface NamedPart {
  PartNumber: number;
  ETag: string;
}

/**
 * Sends a request as it is: nothing in its URL is resolved or encoded again.
 *
 * @param body sent as JSON; a text as it is
 */
export async function ask<Body = Record<string, unknown>>(
  url: string,
  method = "GET",
  body?: object | string,
  headers?: Record<string, string>,
): Promise<Answer<Body>> {
  const answer = await fetch(url, {
    method,
    headers: { ...(body && { "content-type": "application/json" }), ...headers },
    body: typeof body === "object" ? JSON.stringify(body) : body,
  });
  const text = await answer.text();
  const parsed = (text === "" ? {} : JSON.parse(text)) as Body & {
    error?: { code: string; message: string };
  };
  const { code, message } = parsed.error ?? {};
  return { status: answer.status, headers: answer.headers, body: parsed, code, message };
}

/** PUTs bytes to a signed URL. @returns status, S3's error code, and the ETag */
export async function put(url: string, bytes: Uint8Array, method = "PUT") {
  const hasBody = method === "PUT" || method === "POST";
  const answer = await fetch(url, { method, body: hasBody ? Buffer.from(bytes) : undefined });
  const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1];
  return { status: answer.status, code, etag: answer.headers.get("etag") ?? "" };
}

/** A client of one upload link, which speaks what @uppy/aws-s3 speaks. */
export function linkClient(url: string) {
  const multipart = `${url}/s3/multipart`;
  const of = ({ key, uploadId }: Begun, rest = "") =>
    `${multipart}/${encodeURIComponent(uploadId)}${rest}?key=${encodeURIComponent(key)}`;
  const client = {
    url,
    begin: (filename: string, metadata: object = {}, type = "text/plain") =>
      ask<Begun>(multipart, "POST", { filename, type, metadata }),
    sign: (upload: Begun, partNumber: number | string) =>
      ask<{ url: string; expires_at: string }>(of(upload, `/${partNumber}`)),
    list: (upload: Begun) => ask<NamedPart[]>(of(upload)),
    complete: (upload: Begun, parts: NamedPart[], more: object = {}) =>
      ask(of(upload, "/complete"), "POST", { parts, ...more }),
    abort: (upload: Begun) => ask(of(upload), "DELETE"),
    /** Signs a part, and sends it. */
    async send(upload: Begun, partNumber: number, bytes: Uint8Array): Promise<NamedPart> {
      const signed = await client.sign(upload, partNumber);
      const { status, code, etag } = await put(signed.body.url, bytes);
      if (status !== 200) {
        throw new Error(`Part ${partNumber}: ${status} ${code ?? ""}, ${signed.message ?? ""}`);
      }
      return { PartNumber: partNumber, ETag: etag.replaceAll('"', "") };
    },
  };
  return client;
}

export type LinkClient = ReturnType<typeof linkClient>;
