import { connect } from "node:net";
import { buffer } from "node:stream/consumers";

export interface RawAnswer {
  status: number;
  /** By name in lower case, with one character for each byte. */
  headers: Record<string, string>;
  body: Buffer;
}

/** A request whose headers are sent as they are, a byte for each character: Node.js's client may not. */
export async function send(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<RawAnswer> {
  const { method = "GET", headers = {}, body = "" } = options;
  const { host, hostname, port, pathname, search } = new URL(url);
  const sent = { host, connection: "close", ...headers, "content-length": Buffer.byteLength(body) };
  const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`;
  const socket = connect(Number(port), hostname);
  socket.write(Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body)]));
  const answer = await buffer(socket);

  const end = answer.indexOf("\r\n\r\n");
  const [first = "", ...received] = answer.toString("latin1", 0, end).split("\r\n");
  const fields = received.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(first.split(" ")[1]),
    headers: Object.fromEntries(fields),
    body: answer.subarray(end + 4),
  };
}

/** The elements of an answer's XML that hold text, by name; the last of each. */
export function elementsOf({ body }: RawAnswer): Record<string, string> {
  const found = [...body.toString().matchAll(/<(\w+)>([^<]*)<\/\1>/g)];
  return Object.fromEntries(
    found.map(([, name = "", text = ""]): [string, string] => [name, text]),
  );
}
