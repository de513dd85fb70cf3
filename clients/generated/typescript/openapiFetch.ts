import createClient from "openapi-fetch";
import type { paths } from "./generated/api";
import { input, round } from "./round";

const headers = { "x-api-key": input.managerKey };
const manager = createClient<paths>({ baseUrl: input.managerUrl, headers });
const uploads = createClient<paths>({ baseUrl: input.uploadBaseUrl });

function ok<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data === undefined) {
    throw new Error(JSON.stringify(error));
  }
  return data;
}

const at = (event_id: string) => ({ params: { path: { event_id } } });

void round({
  upload: async (bytes, filename) =>
    ok(
      await uploads.POST("/upload", {
        params: { query: { filename } },
        // Bytes are a string in the types of openapi-typescript.
        body: bytes as unknown as string,
        bodySerializer: (body) => body,
        headers: { "Content-Type": "application/octet-stream" },
      }),
    ),
  list: async (limit, cursor) =>
    ok(await manager.GET("/events", { params: { query: { status: "notified", limit, cursor } } })),
  get: async (id) => ok(await manager.GET("/events/{event_id}", at(id))),
  createUpload: async (body, key) =>
    ok(await manager.POST("/uploads", { body, params: { header: { "Idempotency-Key": key } } })),
  retry: async (id) => ok(await manager.POST("/events/{event_id}/retry", at(id))),
  retryMany: async (from, to) =>
    ok(await manager.POST("/events/retry", { params: { query: { status: "failed", from, to } } })),
  delete: async (id) => {
    const { error } = await manager.DELETE("/events/{event_id}", at(id));
    if (error) {
      throw new Error(error.error.message);
    }
  },
  stats: async () => ok(await manager.GET("/stats")),
  errorCode: async (id) => (await manager.GET("/events/{event_id}", at(id))).error?.error.code,
});
