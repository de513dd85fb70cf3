import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { HttpRequest, ReceiveBody, SpooledBody } from "../../http";
import type { DiskSpace } from "../../storage/diskSpace";
import { bucketPathOf } from "../address";
import { createFormCutter } from "../forms/formCutter";
import { isPostForm } from "../forms/postForm";
import { diskError } from "../store/errors";
import { chunkedPayload, createChunkCutter } from "./chunks";
import { createWholeCutter, type Cutter } from "./cutter";
import { CHECKSUMS, createDigest, type Digest, loadDigests } from "./digests";

/**
 * What receives a large body of an upload: it writes the content to a file, and computes the digests
 * that the request mentions. Undefined for other requests.
 *
 * @param request without its body
 * @param folder for the files
 * @param algorithms that the content needs besides
 * @param disk refuses content that has no space
 */
export function receiverOf(
  request: HttpRequest,
  folder: string,
  algorithms: readonly string[] = [],
  disk?: Pick<DiskSpace, "admitContent">,
): ReceiveBody | undefined {
  const cutter = cutterFor(request);
  if (!cutter) {
    return undefined;
  }
  return async (content) => {
    // Before the first byte is read, where the length is known; then as the content arrives.
    disk?.admitContent(Number(request.headers["content-length"] ?? 0));
    const admitted = disk ? admitting(content, disk) : content;
    return await spool(cutter, [...algorithms, ...algorithmsOf(request)], admitted, folder);
  };
}

/** Bytes between two looks at the disk. */
const LOOK_BYTES = 1 << 20;

async function* admitting(
  content: AsyncIterable<Buffer>,
  disk: Pick<DiskSpace, "admitContent">,
): AsyncGenerator<Buffer> {
  let unseen = 0;
  for await (const chunk of content) {
    unseen += chunk.length;
    if (unseen >= LOOK_BYTES) {
      disk.admitContent(unseen);
      unseen = 0;
    }
    yield chunk;
  }
}

function cutterFor({ method, url, headers }: HttpRequest): Cutter | undefined {
  const path = bucketPathOf(url);
  if (!path) {
    return undefined;
  }
  if (method === "POST" && path.key === "" && isPostForm(headers["content-type"])) {
    return createFormCutter(headers["content-type"] ?? "");
  }
  if (method !== "PUT" || path.key === "") {
    return undefined;
  }
  const payload = chunkedPayload(headers);
  return payload ? createChunkCutter(payload) : createWholeCutter();
}

/** The digests that headers or query mention. */
function algorithmsOf({ url, headers }: HttpRequest): string[] {
  const checksums = CHECKSUMS.filter((algorithm) => {
    const name = `x-amz-checksum-${algorithm}`;
    return name in headers || headers["x-amz-trailer"]?.toLowerCase().includes(name) === true;
  });
  const isSigned = "x-amz-content-sha256" in headers || /[?&]X-Amz-Content-Sha256=/.test(url);
  return isSigned ? [...checksums, "sha256"] : checksums;
}

async function spool(
  cutter: Cutter,
  algorithms: readonly string[],
  body: AsyncIterable<Buffer>,
  folder: string,
): Promise<{ body: Buffer; spooled: SpooledBody }> {
  const file = join(folder, randomUUID());
  await loadDigests();
  const handle = await open(file, "wx", 0o600).catch((error: unknown) => {
    throw diskError(error);
  });
  try {
    const written = await write(cutter, algorithms, body, handle);
    return { body: cutter.end(), spooled: { file, ...written, frame: cutter.frame?.() } };
  } catch (error) {
    rmSync(file, { force: true });
    throw diskError(error);
  } finally {
    await handle.close();
  }
}

async function write(
  cutter: Cutter,
  algorithms: readonly string[],
  body: AsyncIterable<Buffer>,
  handle: FileHandle,
): Promise<Omit<SpooledBody, "file">> {
  let sentBytes = 0;
  let bytes = 0;
  let digests: Map<string, Digest> | undefined;
  const ensureDigests = () =>
    (digests ??= new Map(
      ["md5", ...algorithms, ...cutter.algorithms()].map((name) => [name, createDigest(name)]),
    ));
  for await (const chunk of body) {
    sentBytes += chunk.length;
    for (const piece of cutter.push(chunk)) {
      bytes += piece.length;
      for (const digest of ensureDigests().values()) {
        digest.update(piece);
      }
      await handle.appendFile(piece);
    }
  }
  const results = new Map([...ensureDigests()].map(([name, each]) => [name, each.digest()]));
  const md5 = results.get("md5")?.toString("hex") ?? "";
  return { bytes, sentBytes, md5, digests: results };
}
