import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { movedFromUploadApi } from "./formerParent";
import type { Link } from "./link";

/**
 * Keeps each upload's `Idempotency-Key` with the identity that the upload got. DynamoDB deletes a
 * row when its `expires_at` has passed.
 */
export class IdempotencyTable extends pulumi.ComponentResource {
  readonly table: aws.dynamodb.Table;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("s3-uploader:uploads:IdempotencyTable", name, {}, opts);
    this.table = new aws.dynamodb.Table(
      name,
      {
        billingMode: "PAY_PER_REQUEST",
        hashKey: "idempotency_key",
        attributes: [{ name: "idempotency_key", type: "S" }],
        ttl: { attributeName: "expires_at", enabled: true },
      },
      movedFromUploadApi(this),
    );
    this.registerOutputs({ tableName: this.table.name });
  }

  /** To reserve an identity for an `Idempotency-Key`, and to find a reserved one. */
  reserving(): Link<"RESERVATIONS_TABLE_NAME"> {
    return {
      environment: { RESERVATIONS_TABLE_NAME: this.table.name },
      grants: [{ actions: ["dynamodb:GetItem", "dynamodb:PutItem"], resources: [this.table.arn] }],
    };
  }
}
