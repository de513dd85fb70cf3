import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import type { Environment, RuntimeVariable } from "../../runtime/environment";
import { errorAnswer } from "../../runtime/http";
import { packagedPage } from "../../runtime/page";
import { requireRoute } from "../../runtime/requests/routes";
import { signingS3Client } from "../../runtime/s3Client";
import { ticketSecrets } from "../../runtime/ticket";
import { guardedEventStore, type GuardedEventVariable } from "../../store/eventStore";
import { linkStore, type LinkVariable } from "../../store/links/linkStore";
import { showConsole } from "./console/showConsole";
import { deleteFile } from "./deleteFile";
import { createLink } from "./links/createLink";
import { listLinks } from "./links/listLinks";
import { revokeLink } from "./links/revokeLink";
import { showLink } from "./links/showLink";
import { listEvents } from "./listEvents";
import type { ManagerContext, RouteHandler } from "./request";
import { retryEvent, retryEvents } from "./retryEvents";
import { MANAGER_ROUTES, type RouteName } from "./routes";
import { showDescription } from "./showDescription";
import { showEvent } from "./showEvent";
import { showHours } from "./stats/showHours";
import { showStats } from "./stats/showStats";
import { completeUpload } from "./uploads/completeUpload";
import { abortUpload, createUpload, listUploadedParts, signUploadPart } from "./uploads/multipart";
import { presignUpload } from "./uploads/presignUpload";

const ROUTE_HANDLERS: Record<RouteName, RouteHandler> = {
  "GET /events": listEvents,
  "POST /events/retry": retryEvents,
  "GET /events/{event_id}": showEvent,
  "DELETE /events/{event_id}": deleteFile,
  "POST /events/{event_id}/retry": retryEvent,
  "GET /stats": showStats,
  "GET /stats/hours": showHours,
  "POST /uploads": presignUpload,
  "POST /s3/multipart": createUpload,
  "GET /s3/multipart/{upload_id}": listUploadedParts,
  "DELETE /s3/multipart/{upload_id}": abortUpload,
  "POST /s3/multipart/{upload_id}/complete": completeUpload,
  "GET /s3/multipart/{upload_id}/{part_number}": signUploadPart,
  "GET /links": listLinks,
  "POST /links": createLink,
  "GET /links/{link_id}": showLink,
  "DELETE /links/{link_id}": revokeLink,
  "GET /openapi.json": showDescription,
};

/**
 * `ALLOWED_CONTENT_TYPES` has patterns, separated by commas; `UPLOAD_NEEDS_KEY` true or false. `LINK_URL` is
 * what a link's URL begins with, without a slash at its end; `LINK_SECRETS`: see `runtime/ticket.ts`.
 */
export type ManagerVariable =
  | GuardedEventVariable
  | LinkVariable
  | "BUCKET_NAME"
  | "ALLOWED_CONTENT_TYPES"
  | "CURSOR_SECRET"
  | "LINK_SECRETS"
  | "LINK_URL"
  | "STUCK_SECONDS"
  | "UPLOAD_URL"
  | "MAX_UPLOAD_BYTES"
  | "UPLOAD_NEEDS_KEY";

/** @throws an `HttpError` 404 or 405 */
function routeOf({ httpMethod, pathParameters }: APIGatewayProxyEvent) {
  const { name, path } = requireRoute(
    MANAGER_ROUTES,
    httpMethod,
    `/${pathParameters?.proxy ?? ""}`,
    "There is nothing here. GET /openapi.json tells what there is.",
  );
  return { handle: ROUTE_HANDLERS[name], path };
}

/**
 * The event manager's API: lists, shows, counts, retries and deletes events, signs large uploads, and
 * makes upload links. Every error is `{ "error": { "code", "message" } }`.
 */
export function managerHandler(environment: Environment<ManagerVariable | RuntimeVariable>) {
  const store = guardedEventStore(environment);
  const manager: ManagerContext = {
    s3: signingS3Client(),
    store,
    bucketName: environment("BUCKET_NAME"),
    allowedTypes: environment("ALLOWED_CONTENT_TYPES").split(","),
    cursorSecret: environment("CURSOR_SECRET"),
    stuckSeconds: Number(environment("STUCK_SECONDS")),
    taskRoot: environment("LAMBDA_TASK_ROOT"),
    links: {
      store: linkStore(environment, store.dynamo),
      url: environment("LINK_URL"),
      secrets: ticketSecrets(environment("LINK_SECRETS")),
    },
    uploads: {
      url: environment("UPLOAD_URL"),
      maxBytes: Number(environment("MAX_UPLOAD_BYTES")),
      needsKey: environment("UPLOAD_NEEDS_KEY") === "true",
    },
  };

  const page = packagedPage("console", environment);

  return async (event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> => {
    try {
      const answer = showConsole(page, event);
      if (answer) {
        return answer;
      }
      const { handle, path } = routeOf(event);
      return await handle(manager, { event, path, context });
    } catch (error) {
      return errorAnswer(error, event.requestContext.requestId, {
        log: "Request failed.",
        unavailable: "The request could not be served right now.",
        failed: "The request could not be served.",
      });
    }
  };
}
