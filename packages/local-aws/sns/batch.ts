import { AwsError } from "../awsError";
import { escapeXml } from "../xml";

// Limits of PublishBatch, https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
const MAX_BYTES = 262_144;
const MAX_ENTRIES = 10;

const ENTRY = /^PublishBatchRequestEntries\.member\.(\d+)\.(.+)$/;

/** The entries of a PublishBatch, each with the parameters of a Publish. */
export function readEntries(params: URLSearchParams): URLSearchParams[] {
  const entries = new Map<string, URLSearchParams>();
  for (const [name, value] of params) {
    const [, index, parameter] = ENTRY.exec(name) ?? [];
    if (!index || !parameter) {
      continue;
    }
    const entry = entries.get(index) ?? new URLSearchParams();
    entry.set(parameter, value);
    entries.set(index, entry);
  }
  return [...entries.values()];
}

/** @throws AwsError for a batch that is refused as a whole */
export function checkBatch(entries: URLSearchParams[]): void {
  const ids = entries.map((entry) => entry.get("Id") ?? "");
  if (entries.length === 0) {
    throw new AwsError("EmptyBatchRequest", 400, "The batch request doesn't contain any entries.");
  }
  if (entries.length > MAX_ENTRIES) {
    const message = `The batch request contains more than ${MAX_ENTRIES} entries.`;
    throw new AwsError("TooManyEntriesInBatchRequest", 400, message);
  }
  if (!ids.every((id) => /^[\w-]{1,80}$/.test(id))) {
    const message = "An entry's Id takes 1 to 80 letters, digits, hyphens and underscores.";
    throw new AwsError("InvalidBatchEntryId", 400, message);
  }
  if (new Set(ids).size < ids.length) {
    const message = "Two or more batch entries in the request have the same Id.";
    throw new AwsError("BatchEntryIdsNotDistinct", 400, message);
  }
  const bytes = entries.reduce(
    (sum, entry) => sum + Buffer.byteLength(entry.get("Message") ?? ""),
    0,
  );
  if (bytes > MAX_BYTES) {
    const message = `The messages of a batch together take up to ${MAX_BYTES} bytes, not ${bytes}.`;
    throw new AwsError("BatchRequestTooLong", 400, message);
  }
}

/** An entry that failed, in the answer. */
export function failure(id: string, code: string, message: string): string {
  return (
    `<member><Id>${id}</Id><Code>${code}</Code><Message>${escapeXml(message)}</Message>` +
    `<SenderFault>true</SenderFault></member>`
  );
}
