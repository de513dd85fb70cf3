import { Configuration, EventsApi, ResponseError, UploadsApi } from "./generated";
import { input, round } from "./round";

const manager = new Configuration({ basePath: input.managerUrl, apiKey: input.managerKey });
const events = new EventsApi(manager);
const signed = new UploadsApi(manager);
const uploads = new UploadsApi(new Configuration({ basePath: input.uploadBaseUrl }));

/** The names of the description, in place of the generator's own. */
function plain(event: Awaited<ReturnType<EventsApi["getEvent"]>>["event"]) {
  const { size: Size, fileName: FileName } = event.eventInfo;
  return {
    event_id: event.eventId,
    event_status: event.eventStatus,
    event_info: { Size, FileName },
  };
}

void round({
  upload: async (body, filename) => {
    const { eventId, size } = await uploads.uploadFile({ body, filename });
    return { event_id: eventId, size };
  },
  list: async (limit, cursor) => {
    const page = await events.listEvents({ status: "notified", limit, cursor });
    return { events: page.events.map(plain), next_cursor: page.nextCursor };
  },
  get: async (eventId) => {
    const { event, download } = await events.getEvent({ eventId });
    return { event: plain(event), download };
  },
  createUpload: async (uploadRequest, idempotencyKey) => {
    const answer = await signed.createUpload({ uploadRequest, idempotencyKey });
    const { eventId, eventStatus, method, url, headers } = answer;
    return { event_id: eventId, event_status: eventStatus, method, url, headers };
  },
  retry: async (eventId) => {
    const { eventStatus } = await events.retryEvent({ eventId });
    return { event_status: eventStatus };
  },
  retryMany: (from, to) => events.retryEvents({ status: "failed", from, to }),
  delete: (eventId) => events.deleteEvent({ eventId }),
  stats: () => events.getStats(),
  errorCode: (eventId) =>
    events.getEvent({ eventId }).then(
      () => undefined,
      async (error: ResponseError) =>
        ((await error.response.json()) as { error: { code: string } }).error.code,
    ),
});
