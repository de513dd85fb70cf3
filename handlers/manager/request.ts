import type { S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import type { GuardedEventStore } from "../../store/eventStore";
import type { LinkStore } from "../../store/links/linkStore";
import type { PathParameters } from "./routes";

/** What all routes need. */
export interface ManagerContext {
  s3: S3Client;
  store: GuardedEventStore;
  bucketName: string;
  allowedTypes: string[];
  /** Signs cursors. */
  cursorSecret: string;
  /** The setting: for how long retried events may take before fewer are retried at a time. */
  stuckSeconds: number;
  /** The folder of the Lambda's package. */
  taskRoot: string;
  /** Upload links: their table, the URL before their tickets, and the secrets that sign these. */
  links: { store: LinkStore; url: string; secrets: string[] };
  /** The upload API, for the description. */
  uploads: { url: string; maxBytes: number; needsKey: boolean };
}

/** A request to one route. */
export interface ManagerRequest {
  event: APIGatewayProxyEvent;
  /** Unchecked. */
  path: PathParameters;
  context: Context;
}

/** @throws an `HttpError` for a refusal */
export type RouteHandler = (
  manager: ManagerContext,
  request: ManagerRequest,
) => Promise<APIGatewayProxyResult>;
