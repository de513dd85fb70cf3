import { statsLines } from "../output/tables";
import type { Context } from "./context";

/** Shows the number of events in each status. */
export async function showStats({ manager, json, write }: Context): Promise<void> {
  const stats = await manager.stats();
  const lines = json ? [JSON.stringify(stats)] : statsLines(stats);
  lines.forEach(write);
}
