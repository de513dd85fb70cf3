import { detailLines } from "../output/tables";
import type { Context } from "./context";

/** Shows one event, with a download link. */
export async function showEvent({ manager, json, write }: Context, eventId: string): Promise<void> {
  const details = await manager.show(eventId);
  const lines = json ? [JSON.stringify(details)] : detailLines(details);
  lines.forEach(write);
}
