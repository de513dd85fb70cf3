import { setTimeout as pause } from "node:timers/promises";

/** A part as S3 lists it. */
export interface StoredPart {
  PartNumber: number;
  ETag: string;
}

/** The event manager of a run. */
export interface Manager {
  /** @param route such as `GET /events` @throws for another status than `status` */
  ask<T>(route: string, status: number, body?: object): Promise<T>;
}

/** Waits out the throttle, as clients do. */
async function patiently(url: string, init: RequestInit): Promise<Response> {
  for (;;) {
    const answer = await fetch(url, init);
    if (answer.status !== 429) {
      return answer;
    }
    await pause(1000 * Number(answer.headers.get("retry-after") ?? 1));
  }
}

export function managerOf(outputs: Record<string, unknown>): Manager {
  const headers = {
    "x-api-key": String(outputs.managerApiKey),
    "content-type": "application/json",
  };
  return {
    async ask<T>(route: string, status: number, body?: object) {
      const [method = "", path = ""] = route.split(" ", 2);
      const answer = await patiently(`${String(outputs.managerUrl)}${path}`, {
        method,
        headers,
        body: body && JSON.stringify(body),
      });
      const text = await answer.text();
      if (answer.status !== status) {
        throw new Error(`${route} was answered with ${answer.status}: ${text}`);
      }
      return JSON.parse(text === "" ? "null" : text) as T;
    },
  };
}

/** @returns the part's ETag @throws where S3 refuses it */
export async function putPart(url: string, bytes: Buffer<ArrayBuffer>): Promise<string> {
  const answer = await fetch(url, { method: "PUT", body: bytes });
  const text = await answer.text();
  if (answer.status !== 200) {
    throw new Error(`S3 refused a part with ${answer.status}: ${text}`);
  }
  return answer.headers.get("etag") ?? "";
}
