import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { isUuid } from "../../../events/identity";
import { asError } from "../../../runtime/awsErrors";
import { type HttpError, httpError } from "../../../runtime/http";
import { sealTicket } from "../../../runtime/ticket";
import type { Claim } from "../../../store/links/claim";
import { giveBackLapsed } from "../../../store/links/giveBack";
import { linkStatus, type UploadLink } from "../../../store/links/link";
import { findLink } from "../../../store/links/read";
import type { ManagerContext } from "../request";

export function linkNotFound(linkId: string): HttpError {
  return httpError(404, "link_not_found", `There is no link ${linkId.slice(0, 100)}.`);
}

/** A link as all routes answer with it. */
export function linkAnswer({ links }: ManagerContext, link: UploadLink) {
  const { link_id, created_at, expires_at, taken, stored, ...others } = link;
  return {
    link_id,
    // Never to be logged: whoever has the URL may use the link.
    url: `${links.url}/${sealTicket(links.secrets, link_id)}`,
    created_at,
    expires_at,
    ...others,
    status: linkStatus(link),
    files: { taken, stored },
  };
}

/** Whether the object of a claim is not there (yet). */
async function isUnfinished(
  { s3, bucketName }: ManagerContext,
  { object_key }: Claim,
): Promise<boolean> {
  try {
    await s3.send(new HeadObjectCommand({ Bucket: bucketName, Key: object_key }));
    return false;
  } catch (error) {
    if (asError(error).$metadata?.httpStatusCode === 404) {
      return true;
    }
    throw error;
  }
}

/**
 * The link with exact counts: places of uploads that nobody went on with are given back first.
 *
 * @param link as it was read
 */
export async function countedLink(manager: ManagerContext, link: UploadLink): Promise<UploadLink> {
  // Every file that has a place is stored: there is nothing that could lapse.
  if (link.taken <= link.stored) {
    return link;
  }
  const { links } = manager;
  const given = await giveBackLapsed(links.store, link.link_id, (claim) =>
    isUnfinished(manager, claim),
  );
  return given > 0 ? ((await findLink(links.store, link.link_id)) ?? link) : link;
}

/**
 * The link with this id.
 *
 * @throws an `HttpError` 404 where there is none
 */
export async function requireLink({ links }: ManagerContext, linkId: string): Promise<UploadLink> {
  const link = isUuid(linkId) ? await findLink(links.store, linkId) : undefined;
  if (link === undefined) {
    throw linkNotFound(linkId);
  }
  return link;
}
