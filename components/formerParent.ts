import * as pulumi from "@pulumi/pulumi";

/**
 * The options of a child that version 1.0.0 registered below its `UploadApi`, which held the bucket
 * and the idempotency table, too. With the alias, an upgrade keeps the deployed resource; without
 * it, the engine would replace it.
 *
 * @param parent the component that has the child now
 */
export function movedFromUploadApi(parent: pulumi.Resource) {
  const formerParent = pulumi.createUrn("uploads", "s3-uploader:uploads:UploadApi");
  return { parent, aliases: [{ parent: formerParent }] };
}
