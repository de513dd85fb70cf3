import type { HttpRequest, HttpResponse } from "./http";

const SAFE_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
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
 * A web page must not read it: other origins cannot without CORS headers, and the listener refuses
 * a page that makes its own host name point to this machine (DNS rebinding).
 */
export function stackPage({ method }: HttpRequest, outputs: Record<string, unknown>): HttpResponse {
  if (method !== "GET") {
    return refusal(405, "Read the outputs with GET.", { allow: "GET" });
  }
  return {
    status: 200,
    headers: { ...SAFE_HEADERS, "content-type": "application/json" },
    body: Buffer.from(JSON.stringify({ outputs })),
  };
}
