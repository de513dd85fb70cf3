import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type KeepsData, kept, type KeptArgs } from "../kept";
import { joined, type Link } from "../link";

type LinkVariable = "LINKS_TABLE_NAME";

/**
 * The table of upload links: a row for each link, one for each claim (a file that somebody began to upload
 * through it), and one that finds the claim of a repeated request. DynamoDB deletes a row when its
 * `removed_at` has passed.
 */
export class LinkTable extends pulumi.ComponentResource implements KeepsData {
  readonly table: aws.dynamodb.Table;
  readonly data: KeepsData["data"];

  constructor(name: string, args: KeptArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("s3-uploader:links:LinkTable", name, {}, opts);
    const existing = kept(name, args);
    this.table = new aws.dynamodb.Table(
      name,
      {
        name: existing.name,
        billingMode: "PAY_PER_REQUEST",
        hashKey: "link_id",
        rangeKey: "item",
        attributes: [
          { name: "link_id", type: "S" },
          { name: "item", type: "S" },
          { name: "listed", type: "S" },
          { name: "open_until", type: "S" },
        ],
        // Not `keySchemas`: see `eventTable.ts`.
        globalSecondaryIndexes: [
          {
            name: "listed-index",
            // eslint-disable-next-line local/no-deprecated-inputs -- see above
            hashKey: "listed",
            // eslint-disable-next-line local/no-deprecated-inputs -- see above
            rangeKey: "link_id",
            projectionType: "ALL",
          },
          {
            name: "open-index",
            // eslint-disable-next-line local/no-deprecated-inputs -- see above
            hashKey: "link_id",
            // eslint-disable-next-line local/no-deprecated-inputs -- see above
            rangeKey: "open_until",
            projectionType: "ALL",
          },
        ],
        ttl: { attributeName: "removed_at", enabled: true },
        pointInTimeRecovery: { enabled: true },
      },
      { parent: this, ...existing.opts },
    );
    this.data = { [name]: this.table.name };
    this.registerOutputs({ tableName: this.table.name });
  }

  /** To make, show, list and revoke links, and to give back the places of lapsed claims. */
  managing(): Link<LinkVariable> {
    return joined(
      this.link("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
      this.querying("listed-index"),
      this.querying("open-index"),
    );
  }

  /** To take places for files, and to give them back. */
  claiming(): Link<LinkVariable> {
    return joined(
      this.link("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
      this.querying("open-index"),
    );
  }

  /** To confirm the claim of a file whose row is written. */
  confirming(): Link<LinkVariable> {
    return this.link("dynamodb:GetItem", "dynamodb:UpdateItem");
  }

  private link(...actions: string[]): Link<LinkVariable> {
    return {
      environment: { LINKS_TABLE_NAME: this.table.name },
      grants: [{ actions, resources: [this.table.arn] }],
    };
  }

  private querying(index: string): Link<LinkVariable> {
    return {
      environment: { LINKS_TABLE_NAME: this.table.name },
      grants: [
        {
          actions: ["dynamodb:Query"],
          resources: [pulumi.interpolate`${this.table.arn}/index/${index}`],
        },
      ],
    };
  }
}
