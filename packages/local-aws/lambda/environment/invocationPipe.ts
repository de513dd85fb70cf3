import type { Duplex } from "node:stream";
import { invocationHeaders, type RuntimeInvocation } from "./invocation";

/** The first line of a frame from the runtime. */
interface Head {
  type: "next" | "response" | "error";
  /** Absent for `next`. */
  requestId?: string;
  /** Bytes of payload after the line. @default 0 */
  bytes?: number;
}

/** The calls of a runtime. A payload above the limit is undefined. */
export interface PipeListener {
  /** @param send answers the call */
  onNext(send: (invocation: RuntimeInvocation) => void): void;
  onResponse(requestId: string, payload: string | undefined, bytes: number): void;
  onError(requestId: string, payload: string | undefined, bytes: number): void;
}

/**
 * Serves the pipe by which a process gets its invocations and returns their results: the calls of
 * the Runtime API that every invocation makes. Over HTTP they were half of the CPU time of a short
 * invocation. The other end is ricClient.cjs.
 *
 * Both ends write frames: a line of JSON, then `bytes` of payload.
 *
 * @param maxBytes a larger payload is read, but not kept
 */
export function serveInvocationPipe(pipe: Duplex, maxBytes: number, listener: PipeListener): void {
  const send = ({ payload, ...invocation }: RuntimeInvocation) => {
    const head = { headers: invocationHeaders(invocation), bytes: payload.length };
    // One system call for both.
    pipe.cork();
    pipe.write(Buffer.from(`${JSON.stringify(head)}\n`));
    pipe.write(payload);
    pipe.uncork();
  };
  const onFrame = ({ type, requestId = "", bytes = 0 }: Head, payload: string | undefined) => {
    if (type === "next") {
      listener.onNext(send);
    } else if (type === "response") {
      listener.onResponse(requestId, payload, bytes);
    } else {
      listener.onError(requestId, payload, bytes);
    }
  };
  let rest: Buffer = Buffer.alloc(0);
  let frame: { head: Head; parts: Buffer[]; missing: number } | undefined;
  pipe.on("data", (chunk: Buffer) => {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    rest = Buffer.alloc(0);
    let at = 0;
    while (at < data.length) {
      if (!frame) {
        const end = data.indexOf("\n", at);
        if (end < 0) {
          rest = data.subarray(at);
          return;
        }
        const head = readHead(data.toString("utf8", at, end));
        if (!head) {
          // The function wrote to the pipe. The process ends when its pipe does.
          pipe.destroy();
          return;
        }
        frame = { head, parts: [], missing: head.bytes ?? 0 };
        at = end + 1;
      }
      const { head, parts } = frame;
      const part = data.subarray(at, at + frame.missing);
      at += part.length;
      frame.missing -= part.length;
      const isKept = (head.bytes ?? 0) <= maxBytes;
      if (isKept) {
        parts.push(part);
      }
      if (frame.missing === 0) {
        frame = undefined;
        onFrame(head, isKept ? Buffer.concat(parts).toString() : undefined);
      }
    }
  });
  // The pipe breaks when the process dies, and its death is seen by its `exit` event.
  pipe.on("error", () => undefined);
}

const TYPES = new Set<unknown>(["next", "response", "error"]);

function readHead(line: string): Head | undefined {
  try {
    const head = JSON.parse(line) as Head | null;
    const { type, bytes = 0 } = head ?? {};
    return head && TYPES.has(type) && Number.isSafeInteger(bytes) && bytes >= 0 ? head : undefined;
  } catch {
    return undefined;
  }
}
