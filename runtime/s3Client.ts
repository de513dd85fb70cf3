import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

/**
 * An S3 client whose timeouts leave the handler time to answer. For callback factories only: a client
 * cannot be serialized.
 */
export function s3Client(options: S3ClientConfig = {}): S3Client {
  return new S3Client({
    maxAttempts: 3,
    // Without the third option, the SDK logs a warning and continues to wait.
    requestHandler: { connectionTimeout: 1000, requestTimeout: 4000, throwOnRequestTimeout: true },
    ...options,
  });
}

/** As `s3Client`, to sign requests that others send: their bodies are unknown, and so are their checksums. */
export function signingS3Client(options: S3ClientConfig = {}): S3Client {
  return s3Client({
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...options,
  });
}
