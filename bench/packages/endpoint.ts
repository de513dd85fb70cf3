import type { ServerResponse } from "node:http";
import {
  answerCommonCall,
  answerJson,
  answerPicture,
  type Call,
  startCannedAws,
} from "../../testing/cannedAws";

/** An AWS endpoint that accepts every call, for one event of each Lambda. */
export interface Endpoint {
  url: string;
  /** Returns the actions called with this access key, sorted, and clears them. */
  takeCalls(accessKeyId: string): string[];
  close(): void;
}

function answer(call: Call, response: ServerResponse): void {
  if (answerCommonCall(call, response)) {
    return;
  }
  switch (call.action) {
    case "GET":
      answerPicture(response);
      return;
    case "HEAD":
      response.end();
      return;
    case "Query":
      answerJson(response, { Items: [], Count: 0, ScannedCount: 0 });
      return;
    default:
      answerJson(response, {});
  }
}

/** Starts the endpoint on a free port of 127.0.0.1. */
export async function startEndpoint(): Promise<Endpoint> {
  const { endpoint, calls, stop } = await startCannedAws(answer);
  return {
    url: endpoint,
    takeCalls: (accessKeyId) => {
      const taken = calls.filter((call) => call.accessKeyId === accessKeyId);
      calls.splice(0, calls.length, ...calls.filter((call) => !taken.includes(call)));
      return taken.map(({ action }) => action).sort();
    },
    close: stop,
  };
}
