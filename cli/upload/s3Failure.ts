import { Failure } from "../errors";
import type { HttpAnswer } from "../http/send";

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

/** Converts an error answer of S3 to a Failure with S3's own code. */
export function s3Failure({ status, text }: HttpAnswer): Failure {
  const code = elementOf(text, "Code") ?? `http_${status}`;
  const message = elementOf(text, "Message") ?? `S3's answer has the status ${status}.`;
  const isTransient = status >= 500 || status === 429 || TRANSIENT_CODES.includes(code);
  return new Failure(code, message, { status, isTransient });
}
