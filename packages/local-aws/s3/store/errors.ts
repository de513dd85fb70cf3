import { AwsError } from "../../awsError";

export function noSuchBucket(bucket: string): AwsError {
  return new AwsError("NoSuchBucket", 404, "The specified bucket does not exist", {
    BucketName: bucket,
  });
}

export function noSuchKey(key: string): AwsError {
  return new AwsError("NoSuchKey", 404, "The specified key does not exist.", { Key: key });
}

export function noSuchUpload(uploadId: string): AwsError {
  return new AwsError(
    "NoSuchUpload",
    404,
    "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { UploadId: uploadId },
  );
}

export function preconditionFailed(): AwsError {
  return new AwsError(
    "PreconditionFailed",
    412,
    "At least one of the pre-conditions you specified did not hold",
  );
}

export function invalidArgument(name: string, value: string, message: string): AwsError {
  return new AwsError("InvalidArgument", 400, message, {
    ArgumentName: name,
    ArgumentValue: value,
  });
}

/** A full disk is temporary: the client gets a status that it retries. Other errors pass. */
export function diskError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT"
    ? new AwsError("ServiceUnavailable", 503, "The disk of the local S3 is full.")
    : error;
}
