import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that the browser has sent. */
export interface Sent {
  method: string;
  url: URL;
}

/** An HTTP proxy between browser and run: it sees each request, and is the connection that breaks. */
export interface Proxy {
  url: string;
  /** Since the last `reset`. */
  requests: Sent[];
  /** Answered with success, since the last `reset`. */
  done: Sent[];
  /** Called before a request is passed on, which waits for it. */
  onRequest: (sent: Sent) => void | Promise<void>;
  /** Ends all connections, and takes no new ones until `mend`. */
  cut(): void;
  mend(): void;
  reset(): void;
  stop(): void;
}

export async function startProxy(): Promise<Proxy> {
  let isCut = false;

  async function pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? "");
    const sent: Sent = { method: incoming.method ?? "", url };
    if (isCut) {
      incoming.socket.destroy();
      return;
    }
    proxy.requests.push(sent);
    await proxy.onRequest(sent);
    const outgoing = request(
      {
        // All names that a test uses are this machine's.
        host: "127.0.0.1",
        port: url.port,
        method: incoming.method,
        path: url.pathname + url.search,
        headers: incoming.headers,
      },
      (received) => {
        if ((received.statusCode ?? 500) < 300) {
          proxy.done.push(sent);
        }
        answer.writeHead(received.statusCode ?? 502, received.headers);
        received.pipe(answer);
      },
    );
    outgoing.on("error", () => incoming.socket.destroy());
    incoming.on("close", () => {
      if (!incoming.complete) {
        outgoing.destroy();
      }
    });
    incoming.pipe(outgoing);
  }

  const server = createServer((incoming, answer) => {
    void pass(incoming, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  const proxy: Proxy = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    done: [],
    onRequest: () => undefined,
    cut() {
      isCut = true;
      server.closeAllConnections();
    },
    mend() {
      isCut = false;
    },
    reset() {
      Object.assign(proxy, { requests: [], done: [], onRequest: () => undefined });
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
  return proxy;
}
