import { AwsError } from "../../awsError";
import type { ServiceApi } from "../../gateway/service";
import type { HttpRequest } from "../../http";
import { captureOne, type Clients, PLACE } from "./capture";

/** A call of one of the SDK's clients. */
export type Act = (clients: Clients) => Promise<unknown>;

/** "<operation>: <action> <resource>, …", of the request a real client makes. */
export async function needs(api: ServiceApi, act: Act): Promise<string> {
  const { operation, grants } = api.read(await captureOne(act));
  const listed = grants(PLACE).map(({ action, resource }) => `${action} ${resource}`);
  return `${operation}: ${listed.join(", ")}`;
}

/** The error in place of the grants. */
export function refused(api: ServiceApi, request: HttpRequest): string {
  try {
    api.read(request).grants(PLACE);
  } catch (error) {
    if (error instanceof AwsError) {
      return `${error.status} ${error.code}: ${error.message}`;
    }
    throw error;
  }
  throw new Error("The request was accepted");
}

/** The error in place of the grants, of the request a real client makes. */
export async function refusedCall(api: ServiceApi, act: Act): Promise<string> {
  return refused(api, await captureOne(act));
}

/** A request without a body. */
export function plain(
  method: string,
  url: string,
  headers: Record<string, string> = {},
): HttpRequest {
  return { method, url, headers, body: Buffer.alloc(0) };
}

/** A request of the JSON protocol. */
export function target(name: string, body: unknown): HttpRequest {
  return {
    ...plain("POST", "/", { "x-amz-target": name }),
    body: Buffer.from(JSON.stringify(body)),
  };
}
