/** A message of the debugger: the answer to a command, or an event. */
interface Message {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

/** A client of Node's debugger (Chrome DevTools Protocol). */
export interface DebuggerClient {
  send(method: string, params?: object): Promise<Record<string, unknown>>;
  /** Resolves with the first past or future event that passes. */
  event<Params>(method: string, passes?: (params: Params) => boolean): Promise<Params>;
  close(): void;
}

/** Attaches to the process that listens on this port, once it does. */
export async function attach(port: number): Promise<DebuggerClient> {
  const socket = new WebSocket(await addressOf(port));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  const events: Message[] = [];
  const waiting = new Set<() => void>();
  const commands = new Map<number, (message: Message) => void>();
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id === undefined) {
      events.push(message);
      waiting.forEach((check) => {
        check();
      });
    } else {
      commands.get(message.id)?.(message);
    }
  });
  let id = 0;
  return {
    send: (method, params = {}) =>
      new Promise((resolve, reject) => {
        commands.set(++id, ({ result = {}, error }) => {
          if (error) {
            reject(new Error(`${method}: ${error.message}`));
          } else {
            resolve(result);
          }
        });
        socket.send(JSON.stringify({ id, method, params }));
      }),
    event: <Params>(method: string, passes: (params: Params) => boolean = () => true) =>
      new Promise<Params>((resolve) => {
        const check = () => {
          const found = events.find(
            (event) => event.method === method && passes(event.params as Params),
          );
          if (found) {
            waiting.delete(check);
            resolve(found.params as Params);
          }
        };
        waiting.add(check);
        check();
      }),
    close: () => {
      socket.close();
    },
  };
}

async function addressOf(port: number): Promise<string> {
  for (;;) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
      const [target] = (await answer.json()) as { webSocketDebuggerUrl: string }[];
      if (target) {
        return target.webSocketDebuggerUrl;
      }
    } catch {
      // The process is still starting.
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
