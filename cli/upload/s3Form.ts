import { randomUUID } from "node:crypto";
import { Failure } from "../errors";
import { type HttpAnswer, send } from "../http/send";
import type { UploadForm } from "../manager/answers";
import { type HashedFile, type OnBytes, readHashed } from "./localFile";

/** Transient S3 errors with a status 4xx. */
const TRANSIENT_CODES = ["RequestTimeout", "SlowDown"];

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/** Names are escaped as browsers do: https://html.spec.whatwg.org/#multipart-form-data */
function quoted(name: string): string {
  const escaped = name.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
  return `"${escaped}"`;
}

function elementOf(xml: string, name: string): string | undefined {
  const [, text] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml) ?? [];
  return text?.replace(
    /&(lt|gt|quot|apos|amp);/g,
    (entity, word: string) => ENTITIES[word] ?? entity,
  );
}

function s3Failure({ status, text }: HttpAnswer): Failure {
  const code = elementOf(text, "Code") ?? `http_${status}`;
  const message = elementOf(text, "Message") ?? `S3's answer has the status ${status}.`;
  const isTransient = status >= 500 || status === 429 || TRANSIENT_CODES.includes(code);
  return new Failure(code, message, { status, isTransient });
}

/** The form's bytes before and after the file. S3 requires the fields before the file. */
function frameOf(
  fields: Record<string, string>,
  fileName: string,
  type: string,
): { boundary: string; before: Buffer; after: Buffer } {
  const boundary = `events-${randomUUID()}`;
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name=${quoted(name)}\r\n\r\n${value}\r\n`,
  );
  const fileHead =
    `--${boundary}\r\n` +
    `Content-Disposition: form-data; name="file"; filename=${quoted(fileName)}\r\n` +
    `Content-Type: ${type}\r\n\r\n`;
  return {
    boundary,
    before: Buffer.from(parts.join("") + fileHead),
    after: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
}

/**
 * Uploads a file with a presigned S3 form, streaming it from the disk.
 *
 * @throws Failure with S3's own code, `network_error`, `file_changed`
 */
export async function uploadForm(
  form: Pick<UploadForm, "url" | "fields">,
  file: HashedFile,
  type: string,
  onBytes: OnBytes,
): Promise<void> {
  const { boundary, before, after } = frameOf(form.fields, file.name, type);
  async function* chunks() {
    yield before;
    yield* readHashed(file, onBytes);
    yield after;
  }
  const answer = await send({
    method: "POST",
    url: form.url,
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    body: { length: before.length + file.size + after.length, chunks: chunks() },
  });
  if (answer.status >= 300) {
    throw s3Failure(answer);
  }
}
