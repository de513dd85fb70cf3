import type { APIGatewayProxyResult } from "aws-lambda";
import { UPLOAD_PREFIX } from "../../../events/identity";
import { jsonResponse } from "../../../runtime/http";
import { logInfo } from "../../../runtime/log";
import { parametersOf } from "../../../runtime/parameters";
import { idempotencyKeyOf, idempotencyKeyReused } from "../../../runtime/requests/idempotencyKey";
import { createLink as create, linkIdOf } from "../../../store/links/links";
import { reserve } from "../../../store/reservations";
import type { ManagerContext, ManagerRequest } from "../request";
import { stageUrl } from "../stageUrl";
import { linkAnswer } from "./linkAnswer";
import { newLinkOf } from "./newLink";

/**
 * `POST /links`: makes an upload link. A request that is repeated with its `Idempotency-Key` within a day
 * gets the same link.
 */
export async function createLink(
  manager: ManagerContext,
  { event }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(event, []);
  const { store, links } = manager;
  const { expires_in, ...wanted } = newLinkOf(event, manager.allowedTypes);
  const idempotencyKey = idempotencyKeyOf(event);
  const reservation = await reserve(
    { dynamo: store.dynamo, tableName: store.reservationsTableName },
    // A tab, which no header's key has: links and uploads have keys of their own.
    idempotencyKey && `link\t${idempotencyKey}`,
    { prefix: UPLOAD_PREFIX, fileName: "link" },
    [expires_in, JSON.stringify(wanted)],
  );
  if (reservation === undefined) {
    throw idempotencyKeyReused();
  }
  const now = Date.now();
  const { link, isNew } = await create(links.store, {
    link_id: linkIdOf(reservation.event_id),
    created_at: new Date(now).toISOString(),
    expires_at: new Date(now + expires_in * 1000).toISOString(),
    ...wanted,
    taken: 0,
    stored: 0,
  });
  if (isNew) {
    const { link_id, expires_at } = link;
    logInfo("Upload link made.", { link_id, expires_at });
  }
  return jsonResponse(201, linkAnswer(manager, link), {
    Location: `${stageUrl(event, "/links")}/links/${link.link_id}`,
    ...(!isNew && { "Idempotent-Replayed": "true" }),
  });
}
