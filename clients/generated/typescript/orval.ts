import {
  createUpload,
  deleteEvent,
  getEvent,
  getStats,
  listEvents,
  retryEvent,
  retryEvents,
  uploadFile,
} from "./generated/api";
import { input, round } from "./round";

const options = { headers: { "x-api-key": input.managerKey } };

/** Orval's functions return the answer of any status. */
function ok<T extends { status: number; data: unknown }>(answer: T) {
  if (answer.status >= 300) {
    throw new Error(JSON.stringify(answer.data));
  }
  return answer.data as Extract<T, { status: 200 | 201 }>["data"];
}

void round({
  upload: async (bytes, filename) => ok(await uploadFile(bytes, { filename })),
  list: async (limit, cursor) =>
    ok(await listEvents({ status: "notified", limit, cursor }, options)),
  get: async (id) => ok(await getEvent(id, options)),
  createUpload: async (body, key) =>
    ok(await createUpload(body, { headers: { ...options.headers, "Idempotency-Key": key } })),
  retry: async (id) => ok(await retryEvent(id, options)),
  retryMany: async (from, to) => ok(await retryEvents({ status: "failed", from, to }, options)),
  delete: async (id) => {
    const { status } = await deleteEvent(id, options);
    if (status !== 204) {
      throw new Error(`status ${status}`);
    }
  },
  stats: async () => ok(await getStats(options)),
  errorCode: async (id) => {
    const answer = await getEvent(id, options);
    return answer.status === 200 ? undefined : answer.data.error.code;
  },
});
