import { Spool } from "../observe/spool";
import type { Client, UploadOutcome } from "./client";
import { planUpload } from "./plan";
import { byClients, sendUpload } from "./send";

/** The uploads of a run, and their outcomes. */
export class Uploads {
  readonly outcomes: Spool<UploadOutcome>;
  sent = 0;
  /** Of clients that wait to delete their event. */
  readonly open = new Map<number, UploadOutcome>();

  /** @param file for the outcomes */
  constructor(file: string) {
    this.outcomes = new Spool(file);
  }

  /** @param options.clients that send at the same time */
  async send(client: Client, options: { uploads: number; clients: number }): Promise<void> {
    await byClients(options.uploads, options.clients, async (index) => {
      if (client.signal?.aborted) {
        return;
      }
      const { outcome, later } = await sendUpload(client, planUpload(client.seed, index));
      this.sent += 1;
      if (!later) {
        this.outcomes.push(outcome);
        return;
      }
      this.open.set(index, outcome);
      void later.then((complete) => {
        if (this.open.delete(index)) {
          this.outcomes.push(complete);
        }
      });
    });
  }

  /** Keeps the outcomes of clients that still wait, as they are. */
  end(): void {
    for (const outcome of this.open.values()) {
      this.outcomes.push(outcome);
    }
    this.open.clear();
  }
}
