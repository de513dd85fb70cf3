import { createHash } from "node:crypto";
import { encode as encodeJpeg } from "jpeg-js";
import { type Random, randomOf } from "../random";

/** How a file gets into the bucket: through the API, by a signed request, or put directly. */
export type Way = "api" | "signed" | "direct";

/**
 * What the client does besides:
 * - `again`: sends the same signed request a second time;
 * - `race`: sends other bytes by the same signed request, at the same time;
 * - `deleteAndSend`: deletes the event when it is finished, and sends the signed request again;
 * - `overwrite`: puts other bytes under the same key.
 */
export type Act = "again" | "race" | "deleteAndSend" | "overwrite";

/** One file to upload, derived from the seed. */
export interface PlannedUpload {
  index: number;
  way: Way;
  /** The file's name for APIs; the object's key for the bucket. */
  name: string;
  contentType: string;
  body: Buffer;
  act?: Act;
  /** The other bytes, as many. */
  otherBody: Buffer;
  /** Milliseconds before the act. */
  pauseMs: number;
}

const MAX_BYTES = 20_000;
const IMAGE_SHARE = 0.2;

/** Widths and heights of pictures, in pixels. */
const SIDES = [8, 13, 24, 39];

const OVERWRITE_SHARE = 0.2;
const MAX_PAUSE_MS = 2000;

/** The upload API's prefix, under which the bucket takes no second write. */
export const WRITTEN_ONCE = "uploads/";

/** By the index's remainder: half of all files go through the API, a quarter each way else. */
const WAYS: readonly Way[] = ["api", "direct", "api", "signed"];

const SIGNED_ACTS: readonly (Act | undefined)[] = ["again", "race", "deleteAndSend", undefined];

/** Keys of other writers. Some are under the API's prefix, which the sweeper lists, but are not its keys. */
const KEYS: ((index: number) => string)[] = [
  (index) => `photos/${index}.jpg`,
  (index) => `a b+c%2B/ünï 写真 #${index}?.jpg`,
  (index) => `x//${index}`,
  (index) => `/leading and trailing ${index}/`,
  (index) => `dots/../and/./${index}`,
  (index) => `${"k".repeat(1000)}/${index}`,
  (index) => `${"😀".repeat(200)}${index}`,
  (index) => `${WRITTEN_ONCE}stranger ${index}.txt`,
  (index) => `${WRITTEN_ONCE}2999-01-01T00:00:00.000Z/${index}/not an id.txt`,
  (index) => `'"<&>${index};=@!*(){}[]^~|`,
];

const NAMES: ((index: number) => string)[] = [
  (index) => `holiday-${index}.jpg`,
  (index) => `été & 写真 ${index}+%.png`,
  (index) => `C:\\files\\report ${index}.pdf`,
  (index) => `${"n".repeat(300)}${index}.txt`,
];

function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)] as T;
}

/** Bytes that depend on the name. */
function bytesOf(name: string, length: number): Buffer {
  return createHash("shake256", { outputLength: length }).update(name).digest();
}

const pictures = new Map<string, Buffer>();

/** The same for all files: each call of the encoder fills 10 MB of tables, most of what a run would collect. */
function pictureOf(width: number, height: number): Buffer {
  const name = `${width}x${height}`;
  const data = bytesOf(name, width * height * 4);
  const picture = pictures.get(name) ?? encodeJpeg({ width, height, data }, 60).data;
  pictures.set(name, picture);
  return picture;
}

/** A picture with the name as a comment (a COM segment), so that no two files are the same. */
function picture(name: string, random: Random): Buffer {
  const file = pictureOf(pick(SIDES, random), pick(SIDES, random));
  const comment = Buffer.from(`\0\0\0\0${name}`);
  comment.writeUInt16BE(0xfffe, 0);
  comment.writeUInt16BE(comment.length - 2, 2);
  return Buffer.concat([file.subarray(0, 2), comment, file.subarray(2)]);
}

function actOf(way: Way, name: string, random: Random): Act | undefined {
  if (way === "signed") {
    return pick(SIGNED_ACTS, random);
  }
  const isOverwritten = random() < OVERWRITE_SHARE && !name.startsWith(WRITTEN_ONCE);
  return way === "direct" && isOverwritten ? "overwrite" : undefined;
}

/** Plans the upload with this index. */
export function planUpload(seed: number, index: number): PlannedUpload {
  const identity = `${seed} upload ${index}`;
  const random = randomOf(identity);
  const way = pick(WAYS, () => (index % WAYS.length) / WAYS.length);
  const name = pick(way === "direct" ? KEYS : NAMES, random)(index);
  const isImage = random() < IMAGE_SHARE;
  // Uniform in the logarithm, so that small files are as likely as large ones.
  const length = Math.floor(MAX_BYTES ** random());
  const body = isImage ? picture(identity, random) : bytesOf(identity, length);
  const act = actOf(way, name, random);
  return {
    index,
    way,
    name,
    contentType: isImage ? "image/jpeg" : "application/octet-stream",
    body,
    act,
    otherBody: act ? bytesOf(`${identity}, other`, body.length) : Buffer.alloc(0),
    pauseMs: Math.floor(random() * MAX_PAUSE_MS),
  };
}
