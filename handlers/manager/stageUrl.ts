import type { APIGatewayProxyEvent } from "aws-lambda";
import { header } from "../../runtime/http";

/** @returns the URL of the API's stage, by which the client came; without a slash at its end */
export function stageUrl(event: APIGatewayProxyEvent, route: string): string {
  const { path: clientPath, domainName } = event.requestContext;
  const scheme = header(event, "x-forwarded-proto") ?? "https";
  const host = header(event, "host") ?? domainName ?? "";
  const stage = clientPath.replace(/\/+$/, "").slice(0, -route.length);
  return `${scheme}://${host}${stage}`;
}
