import type { APIGatewayProxyResult } from "aws-lambda";
import { jsonResponse } from "../../runtime/http";
import { countEvents } from "../../store/eventCounts";
import { parametersOf } from "./parameters";
import type { Manager, ManagerRequest } from "./request";

/** `GET /stats`: how many events there are of each status, and how long the oldest one waits. */
export async function stats(
  { store }: Manager,
  { event: request }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const { counts, oldestUnfinished } = await countEvents(store);
  const now = Date.now();
  return jsonResponse(200, {
    counts,
    total: Object.values(counts).reduce((sum, count) => sum + count, 0),
    oldest_unfinished: oldestUnfinished
      ? {
          ...oldestUnfinished,
          age_seconds: Math.max(
            0,
            Math.round((now - Date.parse(oldestUnfinished.event_timestamp)) / 1000),
          ),
        }
      : null,
    as_of: new Date(now).toISOString(),
  });
}
