import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { movedFromUploadApi } from "./formerParent";
import { type KeepsData, kept, type KeptArgs } from "./kept";
import { joined, type Link } from "./link";

/**
 * Keeps each upload's `Idempotency-Key` with the identity that the upload got, and a tombstone of each
 * deleted event. DynamoDB deletes a row when its `expires_at` has passed.
 */
export class IdempotencyTable extends pulumi.ComponentResource implements KeepsData {
  readonly table: aws.dynamodb.Table;
  readonly data: KeepsData["data"];

  constructor(name: string, args: KeptArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("s3-uploader:uploads:IdempotencyTable", name, {}, opts);
    const existing = kept(name, args);
    this.table = new aws.dynamodb.Table(
      name,
      {
        name: existing.name,
        billingMode: "PAY_PER_REQUEST",
        hashKey: "idempotency_key",
        attributes: [{ name: "idempotency_key", type: "S" }],
        ttl: { attributeName: "expires_at", enabled: true },
      },
      { ...movedFromUploadApi(this), ...existing.opts },
    );
    this.data = { [name]: this.table.name };
    this.registerOutputs({ tableName: this.table.name });
  }

  /** To reserve an identity for an `Idempotency-Key`, to find a reserved one, and to leave tombstones. */
  reserving(): Link<"RESERVATIONS_TABLE_NAME"> {
    return this.link("dynamodb:GetItem", "dynamodb:PutItem");
  }

  /** To write no row of a deleted event: its tombstone is checked in the same transaction. */
  guarding(): Link<"RESERVATIONS_TABLE_NAME"> {
    return this.link("dynamodb:ConditionCheckItem");
  }

  /** All that the upload API does: reserve identities, and write no row of a deleted event. */
  uploading(): Link<"RESERVATIONS_TABLE_NAME"> {
    return joined(this.reserving(), this.guarding());
  }

  private link(...actions: string[]): Link<"RESERVATIONS_TABLE_NAME"> {
    return {
      environment: { RESERVATIONS_TABLE_NAME: this.table.name },
      grants: [{ actions, resources: [this.table.arn] }],
    };
  }
}
