import type { S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import type { Environment, RuntimeVariable } from "../../runtime/environment";
import { errorAnswer, httpError } from "../../runtime/http";
import { packagedPage } from "../../runtime/page";
import { type CorsVariable, withCors } from "../../runtime/requests/cors";
import { requireRoute } from "../../runtime/requests/routes";
import { signingS3Client } from "../../runtime/s3Client";
import { openTicket, ticketSecrets } from "../../runtime/ticket";
import { dynamoClient, eventStore, type EventVariable } from "../../store/eventStore";
import { linkStore, type LinkVariable } from "../../store/links/linkStore";
import { abortUpload } from "./abortUpload";
import { completeUpload } from "./completeUpload";
import { createUpload } from "./createUpload";
import { listUploadParts, refuseForm, signUploadPart } from "./parts";
import type { LinksContext, RouteHandler } from "./request";
import { LINK_ROUTES, type RouteName } from "./routes";
import { showFile } from "./showFile";
import { showLink } from "./showLink";
import { showScript, wantsPage } from "./showPage";

const ROUTE_HANDLERS: Record<RouteName, RouteHandler> = {
  "GET /": showLink,
  "GET /files/{event_id}": showFile,
  "GET /s3/params": refuseForm,
  "POST /s3/multipart": createUpload,
  "GET /s3/multipart/{upload_id}": listUploadParts,
  "DELETE /s3/multipart/{upload_id}": abortUpload,
  "POST /s3/multipart/{upload_id}/complete": completeUpload,
  "GET /s3/multipart/{upload_id}/{part_number}": signUploadPart,
};

/**
 * `LINK_SECRETS`: see `ticketSecrets`; `ALLOWED_CONTENT_TYPES` has patterns, separated by commas;
 * `ORGANISATION` may be empty.
 */
export type LinksVariable =
  | LinkVariable
  | EventVariable
  | CorsVariable
  | "BUCKET_NAME"
  | "ALLOWED_CONTENT_TYPES"
  | "LINK_SECRETS"
  | "ORGANISATION";

/**
 * The link of a request, and what is wanted of it.
 *
 * @throws an `HttpError` 403 without a valid ticket, 404 or 405. None repeats the path, whose ticket would
 *   end in a log
 */
function routeOf(secrets: string[], event: APIGatewayProxyEvent) {
  const [ticket = "", ...rest] = (event.pathParameters?.proxy ?? "").split("/");
  const linkId = openTicket(secrets, ticket);
  if (linkId === undefined) {
    throw httpError(
      403,
      "forbidden",
      "This is no valid upload link: it has to be used as it was sent, without a change.",
    );
  }
  const { name, path } = requireRoute(
    LINK_ROUTES,
    event.httpMethod,
    `/${rest.join("/")}`,
    "There is nothing here. The link itself is one level up.",
  );
  return { handle: ROUTE_HANDLERS[name], request: { event, linkId, path } };
}

/**
 * The API of upload links, for whoever has a link's ticket: begins, signs, lists, completes and aborts
 * uploads, as @uppy/aws-s3 asks for it. Every error is `{ "error": { "code", "message" } }`. A browser that
 * opens a link gets a page, which tells itself what the link is.
 */
export function linksHandler(environment: Environment<LinksVariable | RuntimeVariable>) {
  let s3Once: S3Client | undefined;
  const dynamo = dynamoClient();
  const context: LinksContext = {
    s3: signingS3Client(),
    s3Once: () => (s3Once ??= signingS3Client({ maxAttempts: 1 })),
    store: linkStore(environment, dynamo),
    events: eventStore(environment, dynamo),
    bucketName: environment("BUCKET_NAME"),
    allowedTypes: environment("ALLOWED_CONTENT_TYPES").split(","),
    organisation: environment("ORGANISATION") || undefined,
  };
  const page = packagedPage("link", environment);
  const secrets = ticketSecrets(environment("LINK_SECRETS"));

  const serve = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    try {
      const script = showScript(page, event);
      if (script) {
        return script;
      }
      const { handle, request } = routeOf(secrets, event);
      const answer = await handle(context, request);
      return wantsPage(event) ? page.html(event) : answer;
    } catch (error) {
      const answer = errorAnswer(error, event.requestContext.requestId, {
        log: "Request of an upload link failed.",
        unavailable: "The request could not be served right now.",
        failed: "The request could not be served.",
      });
      // It says what is wrong, in a browser's words.
      return wantsPage(event) ? page.html(event, answer.statusCode) : answer;
    }
  };
  return withCors({ origins: environment("CORS_ORIGINS"), methods: "GET, POST, DELETE" }, serve);
}
