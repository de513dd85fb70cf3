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
