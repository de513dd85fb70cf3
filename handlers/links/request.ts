import type { S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { type HttpError, httpError } from "../../runtime/http";
import type { EventStore } from "../../store/eventStore";
import { type UploadLink } from "../../store/links/link";
import type { LinkStore } from "../../store/links/linkStore";
import { findLink } from "../../store/links/read";
import type { PathParameters } from "./routes";

/** What all routes need. */
export interface LinksContext {
  s3: S3Client;
  /** Repeats nothing by itself: completes uploads. Made at the first need. */
  s3Once: () => S3Client;
  store: LinkStore;
  events: EventStore;
  bucketName: string;
  /** Media types that the stack takes, as patterns. */
  allowedTypes: string[];
  /** Who collects the files; undefined: not set. */
  organisation: string | undefined;
}

/** A request to one route, by somebody with the link's ticket. */
export interface LinkRequest {
  event: APIGatewayProxyEvent;
  linkId: string;
  /** Unchecked. */
  path: PathParameters;
}

/** @throws an `HttpError` for a refusal */
export type RouteHandler = (
  context: LinksContext,
  request: LinkRequest,
) => Promise<APIGatewayProxyResult>;

/** What a link lets nobody do any more, or never did. */
export function linkUsedUp(): HttpError {
  return httpError(
    409,
    "link_used_up",
    "This link has taken as many files as it may. Ask its sender for another one.",
  );
}

/**
 * A link that lets its files in.
 *
 * @throws an `HttpError` 410 for one that has expired or was revoked
 */
export async function openLink(store: LinkStore, linkId: string): Promise<UploadLink> {
  const link = await findLink(store, linkId);
  if (link?.revoked_at !== undefined) {
    throw httpError(410, "link_revoked", "This link was revoked. Ask its sender for another one.");
  }
  // Its row is deleted long after it has expired.
  if (link === undefined || Date.parse(link.expires_at) <= Date.now()) {
    throw httpError(410, "link_expired", "This link has expired. Ask its sender for another one.");
  }
  return link;
}
