import { readFileSync } from "node:fs";
import * as path from "node:path";
import { PROGRAM_DIR } from "../start/programDir";

/** The file of every upload. */
export function picture(): Buffer<ArrayBuffer> {
  return readFileSync(path.join(PROGRAM_DIR, "sample.jpg"));
}

/** @throws when the answer is not 201 */
export async function uploadFile(
  uploadUrl: string,
  name: string,
  bytes: Buffer<ArrayBuffer>,
): Promise<void> {
  const response = await fetch(`${uploadUrl}?filename=${name}`, {
    method: "POST",
    headers: { "content-type": "image/jpeg" },
    body: bytes,
  });
  const body = await response.text();
  if (response.status !== 201) {
    throw new Error(`The upload of ${name} was answered with ${response.status}: ${body}`);
  }
}

/**
 * Has an upload signed by the manager, and sends the file to S3 itself.
 *
 * @param manager the run's outputs
 * @throws when an answer is not as expected
 */
export async function uploadSigned(
  { managerUrl, managerApiKey }: Record<string, unknown>,
  filename: string,
  bytes: Buffer<ArrayBuffer>,
): Promise<void> {
  const signed = await fetch(`${String(managerUrl)}/uploads`, {
    method: "POST",
    headers: { "x-api-key": String(managerApiKey), "content-type": "application/json" },
    body: JSON.stringify({ filename, content_type: "image/jpeg", size: bytes.length }),
  });
  const answer = (await signed.json()) as { url: string; headers: Record<string, string> };
  const { url, headers } = answer;
  const stored = await fetch(url, { method: "PUT", headers, body: bytes });
  if (signed.status !== 201 || stored.status !== 200) {
    throw new Error(
      `The signed upload of ${filename} was answered with ${signed.status} ` +
        `${JSON.stringify(answer)} and ${stored.status} ${await stored.text()}`,
    );
  }
}

/**
 * Uploads files by several concurrent clients, each of which sends one after the other.
 *
 * @returns milliseconds from each request to its answer
 */
export async function uploadFiles(
  uploadUrl: string,
  uploads: number,
  clients: number,
): Promise<number[]> {
  const bytes = picture();
  const latencies: number[] = [];
  let next = 0;
  const client = async () => {
    while (next < uploads) {
      next += 1;
      const sentAt = performance.now();
      await uploadFile(uploadUrl, `bench-${next}.jpg`, bytes);
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: Math.min(clients, uploads) }, client));
  return latencies;
}
