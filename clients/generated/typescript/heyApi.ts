import {
  createUpload,
  deleteEvent,
  getEvent,
  getStats,
  listEvents,
  retryEvent,
  retryEvents,
  uploadFile,
} from "./generated";
import { client } from "./generated/client.gen";
import { input, round } from "./round";

client.setConfig({ baseUrl: input.managerUrl, auth: input.managerKey });

const thrown = { throwOnError: true } as const;

void round({
  upload: async (body, filename) =>
    (await uploadFile({ baseUrl: input.uploadBaseUrl, body, query: { filename }, ...thrown })).data,
  list: async (limit, cursor) =>
    (await listEvents({ query: { status: "notified", limit, cursor }, ...thrown })).data,
  get: async (event_id) => (await getEvent({ path: { event_id }, ...thrown })).data,
  createUpload: async (body, key) =>
    (await createUpload({ body, headers: { "Idempotency-Key": key }, ...thrown })).data,
  retry: async (event_id) => (await retryEvent({ path: { event_id }, ...thrown })).data,
  retryMany: async (from, to) =>
    (await retryEvents({ query: { status: "failed", from, to }, ...thrown })).data,
  delete: async (event_id) => {
    await deleteEvent({ path: { event_id }, ...thrown });
  },
  stats: async () => (await getStats(thrown)).data,
  errorCode: async (event_id) => (await getEvent({ path: { event_id } })).error?.error.code,
});
