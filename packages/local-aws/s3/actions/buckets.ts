import { AwsError, notImplemented } from "../../awsError";
import { childText, element, group } from "../../xml";
import { FIRST_REGION } from "../address";
import { readDocument } from "../documents";
import type { S3Request } from "../request";
import { invalidArgument } from "../store/errors";
import { continuationToken, readToken } from "../store/listingRequest";
import { type Action, OWNER, xmlOutcome } from "./action";
import { checkBucket } from "./bucketSettings";
import { checkAcl } from "./writeHeaders";

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
const MAX_BUCKETS = 10_000;

/** @param region of every bucket */
export function listBuckets(region: string): Action {
  return ({ query }, store) => {
    const { prefix = "", "max-buckets": max, "continuation-token": token } = query;
    const maxBuckets = max === undefined ? MAX_BUCKETS : Number(max);
    if (!/^\d{1,5}$/.test(max ?? "1") || maxBuckets < 1 || maxBuckets > MAX_BUCKETS) {
      const message = `Argument max-buckets must be an integer between 1 and ${MAX_BUCKETS}`;
      throw invalidArgument("max-buckets", max ?? "", message);
    }
    const after = token === undefined ? "" : readToken(token);
    const isElsewhere = ![undefined, region].includes(query["bucket-region"]);
    const following = store
      .listBuckets()
      .filter(({ name }) => !isElsewhere && name.startsWith(prefix) && name > after);
    const page = following.slice(0, maxBuckets);
    const last = page.at(-1)?.name;
    const isTruncated = last !== undefined && following.length > page.length;
    const buckets = page.map(({ name, created }) =>
      group("Bucket", [
        element("Name", name),
        element("CreationDate", created.toISOString()),
        element("BucketRegion", region),
      ]),
    );
    return xmlOutcome("ListAllMyBucketsResult", [
      OWNER,
      group("Buckets", buckets),
      element("ContinuationToken", isTruncated ? continuationToken(last) : undefined),
      element("Prefix", query.prefix),
    ]);
  };
}

/** @param region of every bucket */
export function createBucket(region: string): Action {
  return ({ bucket, headers, body }, store) => {
    checkBucketHeaders(headers);
    const location = body.length === 0 ? undefined : readLocation(body);
    if (location !== undefined && location !== region) {
      throw new AwsError(
        "IllegalLocationConstraintException",
        400,
        `The ${location} location constraint is incompatible for the region specific endpoint this request was sent to.`,
      );
    }
    const isNew = store.createBucket(bucket);
    if (!isNew && region !== FIRST_REGION) {
      throw new AwsError(
        "BucketAlreadyOwnedByYou",
        409,
        "Your previous request to create the named bucket succeeded and you already own it.",
        { BucketName: bucket },
      );
    }
    return { headers: { location: `/${bucket}` } };
  };
}

export const headBucket: Action = ({ bucket }, store) => {
  checkBucket(bucket, store);
  return {};
};

export const deleteBucket: Action = ({ bucket }, store) => {
  store.deleteBucket(bucket);
  return { status: 204 };
};

export const getLifecycle: Action = ({ bucket }, store) => ({
  headers: { "content-type": "application/xml" },
  body: Buffer.from(store.lifecycleOf(bucket)),
});

export const putLifecycle: Action = ({ bucket, body }, store) => {
  readDocument(body, "LifecycleConfiguration");
  store.setLifecycle(bucket, body.toString());
  return {};
};

export const deleteLifecycle: Action = ({ bucket }, store) => {
  store.setLifecycle(bucket, undefined);
  return { status: 204 };
};

/** @throws AwsError MalformedXML 400, or NotImplemented 501 for more than a location */
function readLocation(body: Buffer): string | undefined {
  const document = readDocument(body, "CreateBucketConfiguration");
  const other = document.children.find(({ name }) => name !== "LocationConstraint");
  if (other) {
    throw notImplemented("s3:CreateBucket", ` with ${other.name}`);
  }
  const location = childText(document, "LocationConstraint")?.trim();
  return location === "" ? undefined : location;
}

function checkBucketHeaders(headers: S3Request["headers"]): void {
  checkAcl(headers);
  const others: [name: string, served: string][] = [
    ["x-amz-bucket-object-lock-enabled", "false"],
    ["x-amz-object-ownership", "BucketOwnerEnforced"],
  ];
  for (const [name, served] of others) {
    const value = headers[name];
    if (value !== undefined && value.toLowerCase() !== served.toLowerCase()) {
      throw notImplemented("s3:CreateBucket", ` with ${name}: ${value}`);
    }
  }
}
