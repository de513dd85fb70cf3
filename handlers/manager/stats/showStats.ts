import type { APIGatewayProxyResult } from "aws-lambda";
import { jsonResponse } from "../../../runtime/http";
import { parametersOf } from "../../../runtime/parameters";
import { countEvents } from "../../../store/counts/countEvents";
import type { ManagerContext, ManagerRequest } from "../request";

/** `GET /stats`: the number of events in each status, and the age of the oldest unfinished one. */
export async function showStats(
  { store }: ManagerContext,
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
