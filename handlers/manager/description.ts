import { readFile } from "node:fs/promises";
import * as path from "node:path";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { header, jsonResponse } from "../../runtime/http";
import { parametersOf } from "./parameters";
import type { Manager, ManagerRequest } from "./request";

/** The description's file, beside the code. */
export const DESCRIPTION_FILE = "openapi.json";

/** What of the description depends on the deployment. */
interface Description {
  servers: { url: string }[];
  paths: Record<
    "/upload",
    {
      servers: { url: string }[];
      post: { "x-max-bytes": number; security: Record<string, string[]>[] };
    }
  >;
}

/** The URL that the request came to, without the path below the stage. */
function baseUrl(event: APIGatewayProxyEvent): string {
  const { path: clientPath, domainName } = event.requestContext;
  const scheme = header(event, "x-forwarded-proto") ?? "https";
  const host = header(event, "host") ?? domainName ?? "";
  return `${scheme}://${host}${clientPath.replace(/\/openapi\.json\/*$/, "")}`;
}

/** `GET /openapi.json`: what both APIs serve, with the URLs and limits of this deployment. */
export async function describe(
  { taskRoot, uploads }: Manager,
  { event }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(event, []);
  const file = path.join(taskRoot, DESCRIPTION_FILE);
  const description = JSON.parse(await readFile(file, "utf8")) as Description;
  description.servers = [{ url: baseUrl(event) }];
  const upload = description.paths["/upload"];
  upload.servers = [{ url: uploads.url.replace(/\/upload$/, "") }];
  upload.post["x-max-bytes"] = uploads.maxBytes;
  upload.post.security = uploads.needsKey ? [{ apiKey: [] }] : [];
  return jsonResponse(200, description);
}
