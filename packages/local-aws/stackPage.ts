import type { HttpRequest, HttpResponse } from "./http";

/** This machine by its own names; the port does not matter. */
const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i;

const SAFE_HEADERS = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

function refusal(status: number, message: string, headers = {}): HttpResponse {
  return {
    status,
    headers: { ...SAFE_HEADERS, "content-type": "text/plain; charset=utf-8", ...headers },
    body: Buffer.from(`${message}\n`),
  };
}

/**
 * The page of the outputs for programs on this machine, as `pulumi stack output --json
 * --show-secrets` prints them on AWS: `{"outputs":{…}}`.
 *
 * A web page must not read it. Other origins cannot without CORS headers; and a page that makes its
 * own host name point to this machine (DNS rebinding) is refused by that name.
 */
export function stackPage(
  { method, headers }: HttpRequest,
  outputs: Record<string, unknown>,
): HttpResponse {
  if (!LOCAL_HOST.test(headers.host ?? "")) {
    return refusal(403, "This page is only for http://127.0.0.1 and http://localhost.");
  }
  if (method !== "GET") {
    return refusal(405, "Read the outputs with GET.", { allow: "GET" });
  }
  return {
    status: 200,
    headers: { ...SAFE_HEADERS, "content-type": "application/json" },
    body: Buffer.from(JSON.stringify({ outputs })),
  };
}
