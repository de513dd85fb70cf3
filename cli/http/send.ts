import * as http from "node:http";
import * as https from "node:https";
import { pipeline } from "node:stream/promises";
import { Failure } from "../errors";

/** A body that is generated while it is sent. */
export interface StreamedBody {
  /** Exact number of bytes. */
  length: number;
  chunks: AsyncIterable<Buffer>;
}

export interface HttpCall {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: Buffer | StreamedBody;
}

export interface HttpAnswer {
  status: number;
  /** Names in lower case. */
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** Timeout without traffic; API Gateway answers within 29 seconds. */
const IDLE_MS = 120_000;

/** Connection errors that a retry does not resolve. */
const PERMANENT_ERRORS = [
  "ENOTFOUND",
  "EPROTO",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

function readAnswer(request: http.ClientRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text: Buffer.concat(chunks).toString() });
      });
    });
  });
}

/** Converts a connection's error to a Failure. A Failure of the body's source is returned unchanged. */
function connectionFailure(error: unknown, host: string): unknown {
  if (error instanceof Failure) {
    return error;
  }
  // For a name with several addresses, the message is empty.
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new Failure("network_error", `No answer from ${host}: ${message || code}.`, {
    isTransient: !PERMANENT_ERRORS.includes(code),
  });
}

/**
 * Sends one request and reads the answer, of any status. Redirects are not followed.
 *
 * @throws Failure `network_error`, and failures of a streamed body's source
 */
export async function send({ method, url, headers, body }: HttpCall): Promise<HttpAnswer> {
  const target = new URL(url);
  const { request: start } = target.protocol === "https:" ? https : http;
  const request = start(target, {
    method,
    headers: { ...headers, ...(body && { "content-length": String(body.length) }) },
    timeout: IDLE_MS,
  });
  request.on("timeout", () => {
    request.destroy(new Error(`nothing for ${IDLE_MS / 1000} seconds`));
  });
  const answer = readAnswer(request);
  if (body === undefined || Buffer.isBuffer(body)) {
    request.end(body);
    return answer.catch((error: unknown) => {
      throw connectionFailure(error, target.host);
    });
  }
  let sourceFailure: unknown;
  const sent = pipeline(body.chunks, request).catch((error: unknown) => {
    // Other errors are the connection's, which `answer` rejects with.
    sourceFailure = error instanceof Failure ? error : undefined;
  });
  try {
    const received = await answer;
    if (received.status < 300) {
      // Whole bodies leave the connection to the next request.
      await sent;
    }
    return received;
  } catch (error) {
    await sent;
    throw connectionFailure(sourceFailure ?? error, target.host);
  } finally {
    // After an early answer, the rest of the body is not sent.
    request.destroy();
    await sent;
  }
}
