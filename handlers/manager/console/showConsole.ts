import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { httpError } from "../../../runtime/http";
import type { Page } from "../../../runtime/page";

/** Resources of the REST API that need no key (components/eventManager.ts). */
const PAGE = "/console";
const SCRIPTS = "/console/{proxy+}";

/**
 * `GET /console` and its scripts: without a key, which the page asks for.
 *
 * @returns undefined for a request to any other route
 * @throws an `HttpError` 404 or 405
 */
export function showConsole(
  page: Page,
  event: APIGatewayProxyEvent,
): APIGatewayProxyResult | undefined {
  const { resource, httpMethod, pathParameters } = event;
  if (resource !== PAGE && resource !== SCRIPTS) {
    return undefined;
  }
  // API Gateway leaves out the body of an answer to HEAD.
  if (httpMethod !== "GET" && httpMethod !== "HEAD") {
    throw httpError(405, "method_not_allowed", "Allowed here: GET, HEAD.", { Allow: "GET, HEAD" });
  }
  return resource === PAGE ? page.html(event) : page.script(pathParameters?.proxy ?? "");
}
