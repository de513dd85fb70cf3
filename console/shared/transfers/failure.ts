import { ApiError } from "../apiError";

/** What to do about an upload that was broken off. */
export interface Failure {
  /**
   * `again`: by itself, later; `anew`: the server no longer has the upload; `never`: it is refused;
   * `done`: the server has the whole file, whose answer was lost.
   */
  next: "again" | "anew" | "never" | "done";
  code: string;
  message: string;
}

/** Uppy's error of a request to the bucket. */
interface BucketError {
  request?: XMLHttpRequest;
}

/** By the API's code; of all others, the request is refused for good. */
const NEXT = new Map<string, Failure["next"]>([
  ["upload_not_found", "anew"],
  ["upload_completed", "done"],
]);

const CONNECTION_LOST = "The connection was lost.";

function ofApi({ status, code, message }: ApiError): Failure {
  if (status === 0 || status === 429 || status >= 500) {
    return { next: "again", code, message: status === 0 ? CONNECTION_LOST : message };
  }
  const next = NEXT.get(code) ?? "never";
  return { next, code, message };
}

/** The code in S3's answer, such as `NoSuchUpload`. */
function codeIn(text: string): string | undefined {
  return /<Code>(\w+)<\/Code>/.exec(text)?.[1];
}

function ofBucket(request: XMLHttpRequest): Failure {
  const code = codeIn(request.responseText) ?? `status_${request.status}`;
  if (code === "NoSuchUpload") {
    return { next: "anew", code, message: "The storage no longer has the upload." };
  }
  if (request.status === 0) {
    return { next: "again", code: "no_answer", message: CONNECTION_LOST };
  }
  // 403: the request's signature has expired, as after a suspended computer has woken.
  return { next: "again", code, message: `The storage refused a part (${code}).` };
}

/** @param thrown what Uppy reports of an upload */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof ApiError) {
    return ofApi(thrown);
  }
  const { request } = thrown as BucketError;
  if (request) {
    return ofBucket(request);
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  // A file that was changed, moved or deleted since it was chosen can no longer be read.
  return { next: "never", code: "not_readable", message };
}
