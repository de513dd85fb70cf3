import { AwsError } from "../../awsError";
import { ACCOUNT_ID } from "../../fauxqs/fauxqs";
import { element, group } from "../../xml";
import { FIRST_REGION } from "../address";
import type { CorsRule } from "../cors";
import { noSuchBucket } from "../store/errors";
import type { ObjectStore } from "../store/objectStore";
import { type Action, OWNER, xmlOutcome } from "./action";

/** ACLs are off: the owner may do everything, and nobody else is named. */
const OWNERS_ACL = [
  OWNER,
  group("AccessControlList", [
    group("Grant", [
      '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">' +
        `${element("ID", ACCOUNT_ID)}${element("DisplayName", "local")}</Grantee>`,
      element("Permission", "FULL_CONTROL"),
    ]),
  ]),
];

/** @param region of every bucket */
export function getBucketLocation(region: string): Action {
  return ({ bucket }, store) => {
    checkBucket(bucket, store);
    return xmlOutcome("LocationConstraint", region === FIRST_REGION ? [] : [region]);
  };
}

export const getBucketVersioning: Action = ({ bucket }, store) => {
  checkBucket(bucket, store);
  return xmlOutcome("VersioningConfiguration", []);
};

export const getBucketRequestPayment: Action = ({ bucket }, store) => {
  checkBucket(bucket, store);
  return xmlOutcome("RequestPaymentConfiguration", [element("Payer", "BucketOwner")]);
};

/** @param rulesOf undefined for a bucket without a CORS configuration */
export function getBucketCors(rulesOf: (bucket: string) => CorsRule[] | undefined): Action {
  return ({ bucket }, store) => {
    checkBucket(bucket, store);
    const rules = rulesOf(bucket);
    if (!rules) {
      const message = "The CORS configuration does not exist";
      throw new AwsError("NoSuchCORSConfiguration", 404, message, { BucketName: bucket });
    }
    const elements = (name: string, texts: readonly string[] = []) =>
      texts.map((text) => element(name, text));
    return xmlOutcome(
      "CORSConfiguration",
      rules.map((rule) =>
        group("CORSRule", [
          element("ID", rule.id),
          ...elements("AllowedOrigin", rule.allowedOrigins),
          ...elements("AllowedMethod", rule.allowedMethods),
          ...elements("AllowedHeader", rule.allowedHeaders),
          ...elements("ExposeHeader", rule.exposeHeaders),
          element("MaxAgeSeconds", rule.maxAgeSeconds),
        ]),
      ),
    );
  };
}

export const getBucketAcl: Action = ({ bucket }, store) => {
  checkBucket(bucket, store);
  return xmlOutcome("AccessControlPolicy", OWNERS_ACL);
};

export const getObjectAcl: Action = ({ bucket, key }, store) => {
  store.head(bucket, key);
  return xmlOutcome("AccessControlPolicy", OWNERS_ACL);
};

/** @throws AwsError NoSuchBucket */
export function checkBucket(bucket: string, store: ObjectStore): void {
  if (!store.hasBucket(bucket)) {
    throw noSuchBucket(bucket);
  }
}
