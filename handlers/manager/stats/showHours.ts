import type { APIGatewayProxyResult } from "aws-lambda";
import { jsonResponse } from "../../../runtime/http";
import { invalid, parametersOf } from "../../../runtime/parameters";
import { countHours } from "../../../store/counts/countHours";
import type { ManagerContext, ManagerRequest } from "../request";

const DEFAULT_HOURS = 24;

/** Each hour that is not sealed yet costs a query for each status. */
const MAX_HOURS = 48;

/** `GET /stats/hours`: the number of events of each of the last hours. */
export async function showHours(
  { store }: ManagerContext,
  { event: request }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  const { hours: text = String(DEFAULT_HOURS) } = parametersOf(request, ["hours"]);
  const hours = Number(text);
  if (!/^\d{1,2}$/.test(text) || hours < 1 || hours > MAX_HOURS) {
    throw invalid("hours", `"${text}" is no whole number from 1 to ${MAX_HOURS}.`);
  }
  return jsonResponse(200, {
    hours: await countHours(store, hours),
    as_of: new Date(Date.now()).toISOString(),
  });
}
