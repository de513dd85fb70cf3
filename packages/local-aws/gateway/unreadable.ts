import { maxHeaderSize, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

const ANSWERS: Record<string, [status: number, message: string]> = {
  HPE_HEADER_OVERFLOW: [431, `The headers are larger than ${maxHeaderSize} bytes.`],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request took too long to arrive."],
};

/**
 * Answers bytes that are no request, as a listener of the server's event `clientError`. Node's own
 * answer has no body to say what is wrong.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // As Node's own listener does: an answer in the middle of another one would be part of it.
  const { _httpMessage: open } = socket as Duplex & { _httpMessage?: ServerResponse };
  if (error.code === "ECONNRESET" || !socket.writable || open?.headersSent) {
    socket.destroy();
    return;
  }
  const unknown = [400, `The request is not HTTP/1.1: ${error.message}`] as const;
  const [status, message] = ANSWERS[error.code ?? ""] ?? unknown;
  const body = JSON.stringify({ message });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\n` +
      "Content-Type: application/json\r\n" +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
