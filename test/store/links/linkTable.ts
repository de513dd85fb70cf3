import type { TableDefinition } from "local-aws";

/** The table of links, for a DynamoDB in memory. */
export const LINKS: TableDefinition = {
  tableName: "links",
  hashKey: "link_id",
  rangeKey: "item",
  attributes: ["link_id", "item", "listed", "open_until"].map((name) => ({ name, type: "S" })),
  globalSecondaryIndexes: [
    { name: "listed-index", hashKey: "listed", rangeKey: "link_id", projectionType: "ALL" },
    { name: "open-index", hashKey: "link_id", rangeKey: "open_until", projectionType: "ALL" },
  ],
};
