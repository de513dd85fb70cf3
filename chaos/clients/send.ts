import { post } from "./api";
import type { Client, Sent, UploadOutcome } from "./client";
import { sendDirectly } from "./direct";
import type { PlannedUpload, Way } from "./plan";
import { sendSigned } from "./signed";

const SEND: Record<Way, (client: Client, upload: PlannedUpload) => Promise<Sent>> = {
  api: post,
  signed: sendSigned,
  direct: sendDirectly,
};

/** An upload that was sent, and its final outcome where the client goes on. */
export interface SentUpload {
  outcome: UploadOutcome;
  later?: Promise<UploadOutcome>;
}

/** Sends one upload. What goes through an API is retried. */
export async function sendUpload(client: Client, upload: PlannedUpload): Promise<SentUpload> {
  const { index, way, name } = upload;
  const named = { index, way, name };
  const { later, ...result } = await SEND[way](client, upload);
  return {
    outcome: { upload: named, ...result },
    later: later?.then((complete) => ({ upload: named, ...complete })),
  };
}

/** Calls `work` with each index below `count`, by `clients` concurrent workers. */
export async function byClients(
  count: number,
  clients: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const client = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}
