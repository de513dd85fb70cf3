import { v7 as uuidv7 } from "uuid";
import { linkPrefix, newUpload } from "../../../events/identity";
import type { Claim } from "../../../store/links/claim";
import type { UploadLink } from "../../../store/links/link";
import { openUntil } from "../../../store/links/places";

const HOUR_MS = 3_600_000;

/** A link that is open for an hour, and not in the table yet. */
export function linkOf(fields: Partial<UploadLink> = {}): UploadLink {
  return {
    link_id: uuidv7(),
    created_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + HOUR_MS).toISOString(),
    taken: 0,
    stored: 0,
    ...fields,
  };
}

/** An open claim of a file that is not in the table yet. */
export function claimOf(linkId: string, fields: Partial<Claim> = {}, fileName = "a.txt"): Claim {
  return {
    link_id: linkId,
    ...newUpload(linkPrefix(linkId), fileName),
    upload_id: uuidv7(),
    file_name: fileName,
    content_type: "text/plain",
    state: "open",
    created_at: new Date().toISOString(),
    open_until: openUntil(),
    ...fields,
  };
}
