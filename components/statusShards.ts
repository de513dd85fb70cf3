import * as pulumi from "@pulumi/pulumi";
import { partitionKey } from "../events/partitions";

/** The index whose partitions are meant. */
export const TIME_INDEX = "time-index";

/** The table's tag with the number of shards, where there are several. */
export const SHARDS_TAG = "statusShards";

interface TableInputs {
  globalSecondaryIndexes?: { name?: string; hashKey?: string }[];
  tags?: Record<string, string>;
}

/** The number that a table was or is to be deployed with; "several", if only that is known. */
function shardsOf(table: TableInputs): number | "several" {
  // The engine has them in any order.
  const index = table.globalSecondaryIndexes?.find(({ name }) => name === TIME_INDEX);
  if (index?.hashKey === partitionKey(1)) {
    return 1;
  }
  // Tables that version 1.0 deployed have no tag.
  return Number(table.tags?.[SHARDS_TAG]) || "several";
}

/** @returns what a change would break; undefined for one that is harmless */
export function harmOfChange(before: TableInputs, after: TableInputs): string | undefined {
  const deployed = shardsOf(before);
  const wanted = shardsOf(after);
  if ((deployed === 1) !== (wanted === 1)) {
    return (
      `The setting "statusShards" cannot change from ${deployed} to ${wanted}: DynamoDB would ` +
      "delete time-index and build another, which lacks the present rows."
    );
  }
  if (typeof deployed === "number" && typeof wanted === "number" && wanted < deployed) {
    return (
      `The setting "statusShards" cannot change from ${deployed} to ${wanted}: lists would lack ` +
      "the rows of the removed shards."
    );
  }
  return undefined;
}

/**
 * Stops a deployment, in its preview already, before it rebuilds the index of a deployed table, or
 * hides rows of it: only the engine knows what is deployed. (The local run has no engine.)
 */
export function refuseOtherIndex(tableName: string): pulumi.ResourceHookBinding | undefined {
  if (!pulumi.runtime.hasEngine()) {
    return undefined;
  }
  const hook = new pulumi.ResourceHook(
    `${tableName}-status-shards`,
    ({ oldInputs, newInputs }) => {
      const harm = harmOfChange((oldInputs ?? {}) as TableInputs, (newInputs ?? {}) as TableInputs);
      if (harm) {
        throw new Error(
          `${harm} Nothing was changed. Set the former number; for another one, deploy a second ` +
            "stack with it, and send new uploads there (docs/settings.md).",
        );
      }
    },
    { onDryRun: true },
  );
  return { beforeUpdate: [hook] };
}
