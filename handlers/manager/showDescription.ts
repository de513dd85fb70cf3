import { readFile } from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import type { APIGatewayProxyResult } from "aws-lambda";
import { jsonResponse } from "../../runtime/http";
import { parametersOf } from "../../runtime/parameters";
import type { ManagerContext, ManagerRequest } from "./request";
import { stageUrl } from "./stageUrl";

/** The description's file, in the Lambda's package. */
export const DESCRIPTION_FILE = "openapi.json";

/** The parts of the description that depend on the deployment. */
interface Description {
  servers: { url: string }[];
  components: { securitySchemes: { uploadKey?: unknown } };
  paths: Record<
    "/upload",
    {
      servers: { url: string }[];
      post: { "x-max-bytes": number; security: Record<string, string[]>[] };
    }
  >;
}

/** `GET /openapi.json`: the description of both APIs, with this deployment's URLs and limits. */
export async function showDescription(
  { taskRoot, uploads }: ManagerContext,
  { event }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(event, []);
  const file = path.join(taskRoot, DESCRIPTION_FILE);
  // Not node:fs/promises, which makes each of the Lambda's starts slower: it loads node:readline.
  const description = JSON.parse(await promisify(readFile)(file, "utf8")) as Description;
  description.servers = [{ url: stageUrl(event, "/openapi.json") }];
  const upload = description.paths["/upload"];
  upload.servers = [{ url: uploads.url.replace(/\/upload$/, "") }];
  upload.post["x-max-bytes"] = uploads.maxBytes;
  upload.post.security = uploads.needsKey ? [{ uploadKey: [] }] : [];
  if (!uploads.needsKey) {
    // What nothing uses is a warning of linters, and a parameter of generated clients.
    delete description.components.securitySchemes.uploadKey;
  }
  return jsonResponse(200, description);
}
