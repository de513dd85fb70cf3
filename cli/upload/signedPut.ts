import { Failure } from "../errors";
import { type HttpAnswer, send } from "../http/send";
import type { SignedUpload } from "../manager/answers";
import { type HashedFile, type OnBytes, readHashed } from "./localFile";

/** Transient S3 errors with a status 4xx. */
const TRANSIENT_CODES = ["ConditionalRequestConflict", "RequestTimeout", "SlowDown"];

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

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

/**
 * Uploads a file with a signed request to S3, streaming it from the disk.
 *
 * @returns `present` where the file is stored already: its checksum is signed, so it is this one
 * @throws Failure with S3's own code, `network_error`, `file_changed`
 */
export async function putSigned(
  { method, url, headers }: Pick<SignedUpload, "method" | "url" | "headers">,
  file: HashedFile,
  onBytes: OnBytes,
): Promise<"stored" | "present"> {
  const body = { length: file.size, chunks: readHashed(file, onBytes) };
  const answer = await send({ method, url, headers, body });
  if (answer.status === 412) {
    return "present";
  }
  if (answer.status >= 300) {
    throw s3Failure(answer);
  }
  return "stored";
}
