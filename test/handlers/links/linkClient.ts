import type { Program } from "../../../testing/startProgram";

/** An answer of the links API. */
export interface Answer<Body = Record<string, unknown>> {
  status: number;
  /** `<status> <code>` of an error; `<status>` of any other answer. */
  outcome: string;
  headers: Headers;
  body: Body;
}

/** An upload that has begun. */
export interface Upload {
  key: string;
  uploadId: string;
  event_id: string;
  part_size?: number;
}

export interface Part {
  PartNumber: number;
  ETag: string;
}

/** A link, and requests by whoever has it. */
export interface LinkClient {
  link_id: string;
  url: string;
  request<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer<Body>>;
  create(metadata?: object, more?: { filename?: string; type?: string }): Promise<Answer<Upload>>;
  /** As `create`, for a test in which it has to work. */
  begin(metadata?: object): Promise<Upload>;
  sign(upload: Upload, partNumber?: number | string): Promise<Answer<{ url: string }>>;
  /** Signs and sends one part. */
  send(upload: Upload, bytes: Buffer | string, partNumber?: number): Promise<Part>;
  list(upload: Upload): Promise<Answer<Part[]>>;
  complete(upload: Upload, parts: Part[], more?: object): Promise<Answer>;
  abort(upload: Upload): Promise<Answer>;
}

/** Every answer so far, to check what all have in common. */
export const answers: Answer<unknown>[] = [];

async function ask<Body>(method: string, url: string, body?: unknown): Promise<Answer<Body>> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed = (text === "" ? {} : JSON.parse(text)) as Body & { error?: { code: string } };
  const { status, headers } = response;
  const outcome = parsed.error ? `${status} ${parsed.error.code}` : String(status);
  const answer = { status, outcome, headers, body: parsed };
  answers.push(answer);
  return answer;
}

/** @param url of a link */
export function linkClient(link_id: string, url: string): LinkClient {
  const uploads = `${url}/s3/multipart`;
  const query = ({ key }: Upload) => `?${new URLSearchParams({ key }).toString()}`;
  const client: LinkClient = {
    link_id,
    url,
    request: (method, path, body) => ask(method, `${url}${path}`, body),
    create: (metadata = {}, { filename = "a.txt", type = "text/plain" } = {}) =>
      ask("POST", uploads, { filename, type, metadata }),
    async begin(metadata) {
      const { outcome, body } = await client.create(metadata);
      if (outcome !== "201") {
        throw new Error(`The upload did not begin: ${JSON.stringify(body)}`);
      }
      return body;
    },
    sign: (upload, partNumber = 1) =>
      ask("GET", `${uploads}/${upload.uploadId}/${partNumber}${query(upload)}`),
    async send(upload, bytes, partNumber = 1) {
      const { body, outcome } = await client.sign(upload, partNumber);
      const response = await fetch(body.url, { method: "PUT", body: bytes });
      const ETag = response.headers.get("etag")?.replaceAll('"', "");
      if (ETag === undefined) {
        throw new Error(`The part was not stored: ${outcome}, ${response.status}`);
      }
      return { PartNumber: partNumber, ETag };
    },
    list: (upload) => ask("GET", `${uploads}/${upload.uploadId}${query(upload)}`),
    complete: (upload, parts, more) =>
      ask("POST", `${uploads}/${upload.uploadId}/complete${query(upload)}`, { parts, ...more }),
    abort: (upload) => ask("DELETE", `${uploads}/${upload.uploadId}${query(upload)}`),
  };
  return client;
}

/** Requests of the manager's key holder. */
export async function manage<Body>(
  { run }: Pick<Program, "run">,
  method: string,
  path: string,
  body?: object,
): Promise<Body> {
  const { managerUrl, managerApiKey } = run.outputs as Record<string, string>;
  const response = await fetch(`${managerUrl}${path}`, {
    method,
    headers: { "x-api-key": managerApiKey ?? "" },
    ...(body && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Body;
}

/** Makes a link that is open for an hour. */
export async function newLink(
  program: Pick<Program, "run">,
  fields: object = {},
): Promise<LinkClient> {
  const made = await manage<{ link_id: string; url: string }>(program, "POST", "/links", {
    expires_in: 3600,
    ...fields,
  });
  return linkClient(made.link_id, made.url);
}
