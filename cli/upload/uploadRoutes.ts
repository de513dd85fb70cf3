import { Failure } from "../errors";

/** The routes for uploads, and their size limits. */
export interface UploadRoutes {
  /** Of the upload API. */
  directUrl: string;
  /** Bytes. */
  directMaxBytes: number;
  directNeedsKey: boolean;
  /** Bytes. */
  presignedMaxBytes: number;
  /** Bytes. @default the manager takes no uploads in parts */
  multipartMaxBytes?: number;
}

interface Operation {
  "x-max-bytes"?: unknown;
  security?: unknown[];
}

interface Description {
  security?: unknown[];
  paths?: Partial<Record<string, { post?: Operation; servers?: { url?: unknown }[] }>>;
}

/**
 * Reads the upload routes from openapi.json.
 *
 * @throws Failure `invalid_answer` when they are missing
 */
export function uploadRoutesOf(description: unknown): UploadRoutes {
  const { paths, security } = (description ?? {}) as Description;
  const direct = paths?.["/upload"];
  const base = direct?.servers?.[0]?.url;
  const directMaxBytes = direct?.post?.["x-max-bytes"];
  const presignedMaxBytes = paths?.["/uploads"]?.post?.["x-max-bytes"];
  const multipartMaxBytes = paths?.["/s3/multipart"]?.post?.["x-max-bytes"];
  if (
    typeof base !== "string" ||
    typeof directMaxBytes !== "number" ||
    typeof presignedMaxBytes !== "number"
  ) {
    throw new Failure("invalid_answer", "The manager's openapi.json does not say how to upload.");
  }
  return {
    directUrl: `${base.replace(/\/+$/, "")}/upload`,
    directMaxBytes,
    directNeedsKey: (direct?.post?.security ?? security ?? []).length > 0,
    presignedMaxBytes,
    ...(typeof multipartMaxBytes === "number" && { multipartMaxBytes }),
  };
}
