import type { S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import type { CountedEventStore } from "../../store/eventStore";

/** What the routes share. */
export interface Manager {
  s3: S3Client;
  store: CountedEventStore;
  bucketName: string;
  /** Where `Idempotency-Key`s are remembered. */
  reservationsTableName: string;
  allowedTypes: string[];
  /** Signs cursors. */
  cursorSecret: string;
  /** The folder of the Lambda's package. */
  taskRoot: string;
  /** Of the upload API, for the description. */
  uploads: { url: string; maxBytes: number; needsKey: boolean };
}

/** A request to one route. */
export interface ManagerRequest {
  event: APIGatewayProxyEvent;
  /** What stands for `{event_id}` in the path, as it was sent. */
  eventId: string;
  context: Context;
}

/** Answers a request, or throws an `HttpError`. */
export type Serve = (manager: Manager, request: ManagerRequest) => Promise<APIGatewayProxyResult>;
