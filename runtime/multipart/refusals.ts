import { asError } from "../awsErrors";
import { type HttpError, httpError } from "../http";

export function uploadNotFound(): HttpError {
  return httpError(
    404,
    "upload_not_found",
    "There is no such upload under this key: it was completed or aborted, or never began.",
  );
}

export function uploadCompleted(): HttpError {
  return httpError(409, "upload_completed", "The upload is complete already, of other parts.");
}

/**
 * The answer to a request that S3 refused for good. The same request would be refused again.
 *
 * @returns undefined for any other error
 */
function refusalOf(thrown: unknown): HttpError | undefined {
  const { name, message } = asError(thrown);
  switch (name) {
    case "NoSuchUpload":
      return uploadNotFound();
    case "PreconditionFailed":
      return uploadCompleted();
    case "InvalidPart":
      return httpError(
        400,
        "invalid_part",
        "S3 does not have one of the parts, or has it with another ETag. List the parts, and send " +
          "what is missing.",
      );
    case "InvalidPartOrder":
      return httpError(400, "invalid_part_order", "The parts have to be in order.");
    case "EntityTooSmall":
      return httpError(
        400,
        "part_too_small",
        "Every part but the last has to have 5 MiB at least. Send the small ones again, larger.",
      );
    case "EntityTooLarge":
      return httpError(413, "too_large", "The parts together have more bytes than S3 takes.");
    case "BadDigest":
      return httpError(
        400,
        "checksum_mismatch",
        "The checksum is another one than that of the stored parts: the file changed while it was " +
          "sent, or a part was damaged. Begin a new upload.",
      );
    case "InvalidRequest":
    case "MalformedXML":
      return httpError(400, "invalid_upload", `S3 refuses the upload: ${message}`);
    default:
      return undefined;
  }
}

/**
 * Resolves as the call to S3 does.
 *
 * @throws an `HttpError` 4xx where S3 refused it for good
 */
export async function orRefusal<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}
