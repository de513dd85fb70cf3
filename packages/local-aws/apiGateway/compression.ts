import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import type { HttpRequest, HttpResponse } from "../http";

/**
 * The content codings of an API with a `minimumCompressionSize`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
 */
const ENCODERS = new Map([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
]);

const DECODERS = new Map([
  ["gzip", gunzipSync],
  ["deflate", inflateSync],
]);

/** The coding that the client likes best, the first of several; undefined for none. */
function preferredCoding(accepted: string): string | undefined {
  let best: { coding: string; weight: number } | undefined;
  for (const part of accepted.toLowerCase().split(",")) {
    const [coding = "", ...parameters] = part.split(";").map((text) => text.trim());
    const quality = parameters.find((text) => text.startsWith("q="))?.slice(2);
    const weight = quality === undefined ? 1 : Number(quality);
    if (weight > (best?.weight ?? 0)) {
      best = { coding, weight };
    }
  }
  return best?.coding;
}

/**
 * The answer, compressed if its body is large enough and the client prefers a coding that API Gateway has.
 *
 * @param minimumBytes undefined: the API does not compress
 */
export function compressed(
  response: HttpResponse,
  accepted: string | undefined,
  minimumBytes: number | undefined,
): HttpResponse {
  const { body, headers } = response;
  const coding = preferredCoding(accepted ?? "");
  const encode = ENCODERS.get(coding ?? "");
  if (
    minimumBytes === undefined ||
    body.length < minimumBytes ||
    body.length === 0 ||
    coding === undefined ||
    encode === undefined ||
    "content-encoding" in headers
  ) {
    return response;
  }
  return { ...response, headers: { ...headers, "content-encoding": coding }, body: encode(body) };
}

/**
 * The request with its body decompressed, without the header that says so.
 *
 * @param maxBytes of the body
 * @returns undefined for a coding that API Gateway does not have, or a body that is none of it
 */
export function decompressed(request: HttpRequest, maxBytes: number): HttpRequest | undefined {
  const { "content-encoding": given, ...headers } = request.headers;
  const coding = given?.trim().toLowerCase() ?? "identity";
  if (coding === "identity") {
    return request;
  }
  try {
    const body = DECODERS.get(coding)?.(request.body, { maxOutputLength: maxBytes });
    return body && { ...request, headers, body };
  } catch {
    return undefined;
  }
}
