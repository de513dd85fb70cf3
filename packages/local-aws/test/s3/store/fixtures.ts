import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { AwsError } from "../../../awsError";
import { createObjectStore, type ObjectStore } from "../../../s3/store/objectStore";

export const BUCKET = "files";
export const PLAIN = { headers: { "content-type": "text/plain" } };

/** Bytes: parts in tests are small. */
export const MIN_PART_SIZE = 10;

export interface Scene {
  folder: string;
  store: ObjectStore;
  /** Opens the folder of a store that is closed. */
  open(): ObjectStore;
  /** Closes the store and reopens its folder. */
  reopen(): Promise<ObjectStore>;
  /** The names of all files with content. */
  files(): string[];
  close(): Promise<void>;
}

/** A store with a bucket named `files`, in a folder of its own. */
export function openScene(): Scene {
  const folder = mkdtempSync(join(tmpdir(), "object-store-"));
  const open = () => createObjectStore({ folder, minPartSize: MIN_PART_SIZE });
  const scene: Scene = {
    folder,
    store: open(),
    open: () => (scene.store = open()),
    async reopen() {
      await scene.store.close();
      return scene.open();
    },
    files: () => readdirSync(join(folder, "files")).sort(),
    async close() {
      await scene.store.close();
      rmSync(folder, { recursive: true });
    },
  };
  scene.store.createBucket(BUCKET);
  return scene;
}

/** The code of the error that a call fails with. */
export async function errorCode(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as AwsError).code;
  }
  return "none";
}

export async function text(stream: Readable): Promise<string> {
  return (await buffer(stream)).toString();
}
