import type { Program } from "../../../testing/startProgram";
import {
  type Answer as LinkAnswer,
  ask,
  type Begun,
  linkClient as clientOf,
  type NamedPart,
  put,
} from "../../links/linkClient";

/** An answer of the links API. */
export interface Answer<Body = Record<string, unknown>> extends LinkAnswer<Body> {
  /** `<status> <code>` of an error; `<status>` of any other answer. */
  outcome: string;
}

/** A link, and requests by whoever has it. */
export interface LinkClient {
  link_id: string;
  url: string;
  request<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: object | string,
  ): Promise<Answer<Body>>;
  create(metadata?: object, more?: { filename?: string; type?: string }): Promise<Answer<Begun>>;
  /** As `create`, for a test in which it has to work. */
  begin(metadata?: object): Promise<Begun>;
  sign(upload: Begun, partNumber?: number | string): Promise<Answer<{ url: string }>>;
  /** Signs and sends one part. */
  send(upload: Begun, bytes: Buffer | string, partNumber?: number): Promise<NamedPart>;
  list(upload: Begun): Promise<Answer<NamedPart[]>>;
  complete(upload: Begun, parts: NamedPart[], more?: object): Promise<Answer>;
  abort(upload: Begun): Promise<Answer>;
}

/** Every answer so far, to check what all have in common. */
export const answers: Answer<unknown>[] = [];

async function noted<Body>(asked: Promise<LinkAnswer<Body>>): Promise<Answer<Body>> {
  const given = await asked;
  const outcome = given.code === undefined ? String(given.status) : `${given.status} ${given.code}`;
  const answer = { ...given, outcome };
  answers.push(answer);
  return answer;
}

/** @param url of a link */
export function linkClient(link_id: string, url: string): LinkClient {
  const holder = clientOf(url);
  const client: LinkClient = {
    link_id,
    url,
    request: (method, path, body) => noted(ask(`${url}${path}`, method, body)),
    create: (metadata = {}, { filename = "a.txt", type = "text/plain" } = {}) =>
      noted(holder.begin(filename, metadata, type)),
    async begin(metadata) {
      const { outcome, body } = await client.create(metadata);
      if (outcome !== "201") {
        throw new Error(`The upload did not begin: ${JSON.stringify(body)}`);
      }
      return body;
    },
    sign: (upload, partNumber = 1) => noted(holder.sign(upload, partNumber)),
    async send(upload, bytes, partNumber = 1) {
      const { body, outcome } = await client.sign(upload, partNumber);
      const { status, etag } = await put(body.url, Buffer.from(bytes));
      if (status !== 200) {
        throw new Error(`The part was not stored: ${outcome}, ${status}`);
      }
      return { PartNumber: partNumber, ETag: etag.replaceAll('"', "") };
    },
    list: (upload) => noted(holder.list(upload)),
    complete: (upload, parts, more) => noted(holder.complete(upload, parts, more)),
    abort: (upload) => noted(holder.abort(upload)),
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
  const { managerUrl, managerApiKey = "" } = run.outputs as Record<string, string>;
  const headers = { "x-api-key": managerApiKey };
  return (await ask<Body>(`${managerUrl}${path}`, method, body, headers)).body;
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
