import { ACCOUNT_ID } from "../../fauxqs/fauxqs";
import { element, group } from "../../xml";
import { noSuchBucket } from "../store/errors";
import { type Action, xmlOutcome } from "./action";

/** The owner of everything. */
export const OWNER = group("Owner", [element("ID", ACCOUNT_ID), element("DisplayName", "local")]);

export const listBuckets: Action = (_request, store) => {
  const buckets = store
    .listBuckets()
    .map(({ name, created }) =>
      group("Bucket", [element("Name", name), element("CreationDate", created.toISOString())]),
    );
  return xmlOutcome("ListAllMyBucketsResult", [OWNER, group("Buckets", buckets)]);
};

export const createBucket: Action = ({ bucket }, store) => {
  store.createBucket(bucket);
  return { headers: { location: `/${bucket}` } };
};

export const headBucket: Action = ({ bucket }, store) => {
  if (!store.hasBucket(bucket)) {
    throw noSuchBucket(bucket);
  }
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
  store.setLifecycle(bucket, body.toString());
  return {};
};

export const deleteLifecycle: Action = ({ bucket }, store) => {
  store.setLifecycle(bucket, undefined);
  return { status: 204 };
};
