import fc from "fast-check";
import {
  EVENT_STATUSES,
  type EventInfo,
  type EventKey,
  type EventResult,
  type FileEvent,
  type HistoryEntry,
} from "../../events/event";
import { linkPrefix, SIGNED_PREFIX, UPLOAD_PREFIX } from "../../events/identity";
import type { Metadata } from "../../events/metadata";

/** The last moment whose ISO 8601 form has a year of four digits. */
const LAST_MILLISECOND = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const HEX_DIGITS = "0 1 2 3 4 5 6 7 8 9 a b c d e f".split(" ");

/** A UUID v7 (RFC 9562) of this time. */
export function uuidv7At(milliseconds: number, randomHex = "0".repeat(18)): string {
  const time = milliseconds.toString(16).padStart(12, "0");
  return [
    time.slice(0, 8),
    time.slice(8, 12),
    `7${randomHex.slice(0, 3)}`,
    `8${randomHex.slice(3, 6)}`,
    randomHex.slice(6, 18),
  ].join("-");
}

/** Milliseconds since 1970. */
export const times = fc.integer({ min: 0, max: LAST_MILLISECOND });

/** Any well-formed text: every code point, no lone surrogates. */
export const unicode = fc.string({ unit: "binary" });

/** Any JavaScript string, lone surrogates included. */
export const anyText = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom("/", "\\", ".", " ", "\n", "\0", "\ud800", "\udc00", "😀"),
  ),
  maxLength: 400,
});

/** Of UUIDs v7. */
export const uploadIdentities: fc.Arbitrary<EventKey> = fc
  .tuple(times, fc.string({ unit: fc.constantFrom(...HEX_DIGITS), minLength: 18 }))
  .map(([time, random]) => ({
    event_id: uuidv7At(time, random),
    event_timestamp: new Date(time).toISOString(),
  }));

export const linkIds = fc
  .tuple(times, fc.string({ unit: fc.constantFrom(...HEX_DIGITS), minLength: 18 }))
  .map(([time, random]) => uuidv7At(time, random));

/** A prefix of uploads, with the link that it belongs to. */
export const uploadPlaces = fc.oneof(
  fc.constantFrom({ prefix: UPLOAD_PREFIX }, { prefix: SIGNED_PREFIX }),
  linkIds.map((linkId) => ({ prefix: linkPrefix(linkId), linkId })),
);

export const uploadPrefixes = uploadPlaces.map(({ prefix }) => prefix);

/** As `checkMetadata` takes it, save for its size in bytes. */
export const metadata: fc.Arbitrary<Metadata> = fc.dictionary(
  fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,31}$/),
  fc
    .string({ unit: "grapheme", maxLength: 30 })
    .map((text) => text.trim())
    .filter((text) => text !== "" && !/[\p{Cc}\u2028\u2029]/u.test(text)),
  { maxKeys: 4, noNullPrototype: true },
);

export const eventInfos: fc.Arbitrary<EventInfo> = fc.record(
  {
    Bucket: unicode,
    Key: unicode,
    Size: fc.nat(),
    ETag: fc.string(),
    VersionId: fc.string(),
    ContentType: fc.string(),
    FileName: unicode,
    Checksum: fc.string(),
    Metadata: metadata,
  },
  { requiredKeys: ["Bucket", "Key"], noNullPrototype: true },
);

export const eventResults: fc.Arbitrary<EventResult> = fc.record(
  {
    size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    type: fc.string(),
    declared_type: fc.string(),
    checksum: fc.string(),
    checksum_algorithm: fc.string(),
    width: fc.nat(),
    height: fc.nat(),
  },
  { requiredKeys: ["size", "type"], noNullPrototype: true },
);

export const histories: fc.Arbitrary<HistoryEntry[]> = fc.array(
  fc.record(
    {
      status: fc.constantFrom(...EVENT_STATUSES),
      time: times.map((time) => new Date(time).toISOString()),
      function: fc.string(),
      attempt: fc.nat(),
      code: fc.string(),
    },
    { requiredKeys: ["status", "time", "function"], noNullPrototype: true },
  ),
  { maxLength: 20 },
);

/** New events. */
export const newEvents: fc.Arbitrary<FileEvent> = fc
  .tuple(
    uploadIdentities,
    eventInfos,
    fc.constantFrom("created", "uploaded"),
    times,
    histories,
    fc.option(uploadIdentities),
  )
  .map(([identity, event_info, event_status, time, event_history, link]) => ({
    ...identity,
    event_status,
    event_info,
    ...(link && { link_id: link.event_id }),
    event_history,
    updated_at: new Date(time).toISOString(),
  }));
