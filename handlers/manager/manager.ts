import { S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import type { Environment, RuntimeVariable } from "../../runtime/environment";
import { errorAnswer, httpError } from "../../runtime/http";
import { countedEventStore, type CountedEventVariable } from "../../store/eventStore";
import { deleteFile } from "./deleteFile";
import { describe } from "./description";
import { listEvents } from "./listEvents";
import { presignUpload } from "./presignUpload";
import type { Manager, Serve } from "./request";
import { retryEvent, retryEvents } from "./retryEvents";
import { matchRoute, type RouteName } from "./routes";
import { showEvent } from "./showEvent";
import { stats } from "./stats";

const SERVED: Record<RouteName, Serve> = {
  "GET /events": listEvents,
  "POST /events/retry": retryEvents,
  "GET /events/{event_id}": showEvent,
  "DELETE /events/{event_id}": deleteFile,
  "POST /events/{event_id}/retry": retryEvent,
  "GET /stats": stats,
  "POST /uploads": presignUpload,
  "GET /openapi.json": describe,
};

/** `ALLOWED_CONTENT_TYPES` has patterns, separated by commas; `UPLOAD_NEEDS_KEY` true or false. */
export type ManagerVariable =
  | CountedEventVariable
  | "BUCKET_NAME"
  | "RESERVATIONS_TABLE_NAME"
  | "ALLOWED_CONTENT_TYPES"
  | "CURSOR_SECRET"
  | "UPLOAD_URL"
  | "MAX_UPLOAD_BYTES"
  | "UPLOAD_NEEDS_KEY";

/** @throws an `HttpError` 404 or 405 */
function routeOf({ httpMethod, pathParameters }: APIGatewayProxyEvent) {
  const route = matchRoute(httpMethod, `/${pathParameters?.proxy ?? ""}`);
  if (route === undefined) {
    throw httpError(
      404,
      "not_found",
      "There is nothing here. GET /openapi.json tells what there is.",
    );
  }
  const { name, allowed, eventId } = route;
  if (name === undefined) {
    throw httpError(405, "method_not_allowed", `Allowed here: ${allowed.join(", ")}.`, {
      Allow: allowed.join(", "),
    });
  }
  return { serve: SERVED[name], eventId };
}

/**
 * The event manager's API: lists, shows, retries and deletes events, counts them, and gives out
 * forms for large uploads. Every error is `{ "error": { "code", "message" } }`.
 */
export function managerHandler(environment: Environment<ManagerVariable | RuntimeVariable>) {
  const manager: Manager = {
    s3: new S3Client({
      maxAttempts: 3,
      requestHandler: {
        connectionTimeout: 1000,
        requestTimeout: 4000,
        throwOnRequestTimeout: true,
      },
      // Presigned requests are other people's: no checksum of theirs can be known here.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    }),
    store: countedEventStore(environment),
    bucketName: environment("BUCKET_NAME"),
    reservationsTableName: environment("RESERVATIONS_TABLE_NAME"),
    allowedTypes: environment("ALLOWED_CONTENT_TYPES").split(","),
    cursorSecret: environment("CURSOR_SECRET"),
    taskRoot: environment("LAMBDA_TASK_ROOT"),
    uploads: {
      url: environment("UPLOAD_URL"),
      maxBytes: Number(environment("MAX_UPLOAD_BYTES")),
      needsKey: environment("UPLOAD_NEEDS_KEY") === "true",
    },
  };

  return async (event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> => {
    try {
      const { serve, eventId } = routeOf(event);
      return await serve(manager, { event, eventId, context });
    } catch (error) {
      return errorAnswer(error, event.requestContext.requestId, {
        log: "The request failed.",
        unavailable: "The request could not be served right now.",
        failed: "The request could not be served.",
      });
    }
  };
}
