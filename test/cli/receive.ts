import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** A request's body. */
export interface Received {
  text: string;
  /** Of an S3 form, apart from the file. */
  fields: Record<string, string>;
  /** Of the body, or of the form's file. */
  bytes: number;
  sha256: string;
}

/** The text of larger bodies is not kept. */
const KEPT_BYTES = 100_000;

async function receivePlain(request: IncomingMessage): Promise<Received> {
  const hash = createHash("sha256");
  let bytes = 0;
  let text = "";
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    text += bytes <= KEPT_BYTES ? chunk.toString("latin1") : "";
  }
  return { text, fields: {}, bytes, sha256: hash.digest("hex") };
}

function fieldsOf(head: string): Record<string, string> {
  const parts = head.matchAll(/name="([^"]*)"\r\n\r\n(.*?)\r\n--/gs);
  return Object.fromEntries([...parts].map(([, name = "", value = ""]) => [name, value]));
}

/** Reads a form whose last part is the file, of any size. */
async function receiveForm(request: IncomingMessage, boundary: string): Promise<Received> {
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  const hash = createHash("sha256");
  let bytes = 0;
  let head: string | undefined;
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of request as AsyncIterable<Buffer>) {
    held = Buffer.concat([held, chunk]);
    if (head === undefined) {
      const file = held.indexOf('name="file"');
      const start = file < 0 ? -1 : held.indexOf("\r\n\r\n", file);
      if (start < 0) {
        continue;
      }
      head = held.subarray(0, start).toString();
      held = held.subarray(start + 4);
    }
    const content = held.subarray(0, Math.max(0, held.length - end.length));
    hash.update(content);
    bytes += content.length;
    held = held.subarray(content.length);
  }
  if (!held.equals(end)) {
    throw new Error("The form is incomplete.");
  }
  return { text: "", fields: fieldsOf(head ?? ""), bytes, sha256: hash.digest("hex") };
}

/** Reads a request of any size to its end. */
export function receive(request: IncomingMessage): Promise<Received> {
  const [, boundary] = /boundary=(.*)/.exec(request.headers["content-type"] ?? "") ?? [];
  return boundary === undefined ? receivePlain(request) : receiveForm(request, boundary);
}
