import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AwsError } from "../../awsError";
import type { HttpRequest, HttpResponse } from "../../http";

/** Credentials that are not checked. */
export const credentials = { accessKeyId: "test", secretAccessKey: "test" };

/** A bare HTTP server for one service, so that tests can call it with the real SDK. */
export async function serve(
  handle: (request: HttpRequest) => Promise<HttpResponse>,
  renderError: (error: AwsError) => string,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      );
      const { method = "", url = "" } = incoming;
      handle({ method, url, headers, body: Buffer.concat(chunks) })
        .catch((error: unknown) => {
          const known = error instanceof AwsError;
          const { status, body } = known
            ? { status: error.status, body: renderError(error) }
            : { status: 599, body: `<Error><Code>Crash</Code>${String(error)}</Error>` };
          return { status, headers: {}, body: Buffer.from(body) };
        })
        .then((response) =>
          outgoing.writeHead(response.status, response.headers).end(response.body),
        )
        .catch((error: unknown) => outgoing.destroy(error as Error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

export function s3Error({ code, message }: AwsError): string {
  return `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

export function snsError({ code, message }: AwsError): string {
  return (
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code>` +
    `<Message>${message}</Message></Error></ErrorResponse>`
  );
}
