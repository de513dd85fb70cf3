/** The browser's own. */
export const browserFetch: typeof fetch = globalThis.fetch.bind(globalThis);

/**
 * Sends the requests of Uppy's companion client to one server by another function: the client calls
 * the global fetch, sets no header, and keeps no message of an answer that is an error.
 *
 * @param serverUrl the plugin's `companionEndpoint`
 * @param send throws an error with a message for people, for any answer that is not OK
 * @returns puts the browser's fetch back
 */
export function sendCompanionRequestsBy(
  serverUrl: string,
  send: (url: string, init?: RequestInit) => Promise<Response>,
): () => void {
  globalThis.fetch = (input, init) =>
    typeof input === "string" && input.startsWith(`${serverUrl}/s3/`)
      ? send(input, init)
      : browserFetch(input, init);
  return () => {
    globalThis.fetch = browserFetch;
  };
}
