import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SignatureV4 } from "@smithy/signature-v4";

/** A request to a service for which no client is bundled. */
export interface ServiceRequest {
  /** As in a signature, and in the service's host name. */
  service: string;
  /** Names another endpoint, as for the SDK's own clients. */
  endpointVariable: string;
  /** With `content-type`. */
  headers: Record<string, string>;
  body: string;
}

const TIMEOUT_MS = 5000;

/** The part in use of the SDK's handler, whose type has answers of any kind. */
interface SdkRequestHandler {
  handle(
    request: object,
    options: { requestTimeout: number },
  ): Promise<{ response: { statusCode: number; body: AsyncIterable<Uint8Array> } }>;
}

function endpointOf({ service, endpointVariable }: ServiceRequest, region: string): URL {
  const { [endpointVariable]: own, AWS_ENDPOINT_URL: common } = process.env;
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return new URL(own ?? common ?? `https://${service}.${region}.${suffix}`);
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * Sends one request, with the signer, credentials and connections of the table's client: for a
 * single operation of a service, its own client would make the bundle a tenth larger.
 *
 * @returns the answer, whatever its status
 * @throws the connection's error
 */
export async function signedCall(
  { config }: DynamoDBClient,
  request: ServiceRequest,
): Promise<{ status: number; text: string }> {
  const { service, headers, body } = request;
  const region = await config.region();
  const { protocol, hostname, port, host, pathname } = endpointOf(request, region);
  const { credentials, sha256 } = config;
  const signed = await new SignatureV4({ service, region, credentials, sha256 }).sign({
    method: "POST",
    protocol,
    hostname,
    ...(port !== "" && { port: Number(port) }),
    path: pathname,
    headers: { ...headers, host },
    body,
  });
  const handler = config.requestHandler as unknown as SdkRequestHandler;
  const { response } = await handler.handle(signed, { requestTimeout: TIMEOUT_MS });
  return { status: response.statusCode, text: await textOf(response.body) };
}

/** An error in the form of the SDK's. */
export function serviceError(name: string, message: string, status: number): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}
