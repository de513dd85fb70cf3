import { AwsError } from "../../awsError";
import type { Core } from "./core";

export interface BucketOperations {
  /**
   * @param created @default now
   * @returns false for a bucket that is there already
   * @throws AwsError InvalidBucketName
   */
  createBucket(name: string, created?: Date): boolean;
  hasBucket(name: string): boolean;
  /** By name. */
  listBuckets(): { name: string; created: Date }[];
  /** @throws AwsError NoSuchBucket, or BucketNotEmpty while there are objects or open uploads */
  deleteBucket(name: string): void;
  /**
   * Keeps a lifecycle configuration, which has no effect.
   * @param document as it was sent, or undefined to remove it
   * @throws AwsError NoSuchBucket
   */
  setLifecycle(bucket: string, document: string | undefined): void;
  /** @throws AwsError NoSuchBucket or NoSuchLifecycleConfiguration */
  lifecycleOf(bucket: string): string;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
const NAME = /^(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?!.*(\.\.|\.-|-\.))[a-z0-9.-]{1,61}[a-z0-9]$/;

export function createBucketOperations({ state, commit, bucketOf }: Core): BucketOperations {
  return {
    createBucket(name, created = new Date()) {
      if (state.buckets.has(name)) {
        return false;
      }
      if (!NAME.test(name)) {
        throw new AwsError("InvalidBucketName", 400, "The specified bucket is not valid.", {
          BucketName: name,
        });
      }
      commit({ op: "createBucket", bucket: name, created: created.getTime() });
      return true;
    },
    hasBucket: (name) => state.buckets.has(name),
    listBuckets: () =>
      [...state.buckets]
        .map(([name, { created }]) => ({ name, created: new Date(created) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    deleteBucket(name) {
      const { objects } = bucketOf(name);
      const uploads = [...state.uploads.values()];
      if (objects.size > 0 || uploads.some(({ upload }) => upload.bucket === name)) {
        const message = "The bucket you tried to delete is not empty";
        throw new AwsError("BucketNotEmpty", 409, message, { BucketName: name });
      }
      commit({ op: "deleteBucket", bucket: name });
    },
    setLifecycle(bucket, document) {
      bucketOf(bucket);
      commit({ op: "lifecycle", bucket, document });
    },
    lifecycleOf(bucket) {
      const { lifecycle } = bucketOf(bucket);
      if (lifecycle === undefined) {
        const message = "The lifecycle configuration does not exist";
        throw new AwsError("NoSuchLifecycleConfiguration", 404, message, { BucketName: bucket });
      }
      return lifecycle;
    },
  };
}
