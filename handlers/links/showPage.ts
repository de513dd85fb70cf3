import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { header, httpError } from "../../runtime/http";
import type { Page } from "../../runtime/page";

/** Where a ticket would be in the path; no ticket is as short. */
const SCRIPTS = "assets";

const PAGE_METHODS = ["GET", "HEAD"];

/**
 * `GET /assets/{file}`: a script of the page, which is the same for all links.
 *
 * @returns undefined for any other path
 * @throws an `HttpError` 404 or 405
 */
export function showScript(
  page: Page,
  { httpMethod, pathParameters }: APIGatewayProxyEvent,
): APIGatewayProxyResult | undefined {
  const [folder, name = "", ...rest] = (pathParameters?.proxy ?? "").split("/");
  if (folder !== SCRIPTS) {
    return undefined;
  }
  if (!PAGE_METHODS.includes(httpMethod)) {
    throw httpError(405, "method_not_allowed", "Allowed here: GET, HEAD.", { Allow: "GET, HEAD" });
  }
  return page.script(rest.length > 0 ? "" : name);
}

/** Whether a browser asks for the link itself: programs accept anything, or JSON. */
export function wantsPage(event: APIGatewayProxyEvent): boolean {
  const path = (event.pathParameters?.proxy ?? "").replace(/\/+$/, "");
  const accepted = header(event, "accept") ?? "";
  return (
    PAGE_METHODS.includes(event.httpMethod) &&
    !path.includes("/") &&
    /\btext\/html\b/i.test(accepted)
  );
}
