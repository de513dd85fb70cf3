import { send } from "../http/send";
import type { SignedUpload } from "../manager/answers";
import { type HashedFile, type OnBytes, readHashed } from "./localFile";
import { s3Failure } from "./s3Failure";

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
