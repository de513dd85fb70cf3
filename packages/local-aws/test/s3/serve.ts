import { AwsError } from "../../awsError";
import { listen, type RequestHandler } from "../../gateway/listener";
import type { HttpRequest, HttpResponse } from "../../http";

/** Credentials that are not checked. */
export const credentials = { accessKeyId: "test", secretAccessKey: "test" };

/** One service behind HTTP without a gateway, so that tests can call it with the real SDK. */
export async function serve(
  handle: (request: HttpRequest) => Promise<HttpResponse>,
  renderError: (error: AwsError) => string,
  receiverOf?: RequestHandler["receiverOf"],
): Promise<{ url: string; close: () => Promise<void> }> {
  const listener = await listen({ port: 0 });
  listener.serve({
    receiverOf,
    handle: (request) =>
      handle(request).catch((error: unknown) => {
        const known = error instanceof AwsError;
        const { status, body } = known
          ? { status: error.status, body: renderError(error) }
          : { status: 599, body: `<Error><Code>Crash</Code>${String(error)}</Error>` };
        return { status, headers: {}, body: Buffer.from(body) };
      }),
    refuse: (_request, error) => {
      throw error as Error;
    },
  });
  return { url: listener.url, close: () => listener.close() };
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
