import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { createManagerClient } from "../../../cli/manager/managerClient";
import type { FileProgress } from "../../../cli/upload/fileProgress";
import { type Uploader, uploadFile, type UploadResult } from "../../../cli/upload/uploadFile";
import { uploadRoutesOf } from "../../../cli/upload/uploadRoutes";
import { type FakeManager, startFakeManager } from "../fakeManager";

/** Uploads from a temporary folder to a fake. */
export interface UploadTest {
  fake: FakeManager;
  folder: string;
  /** Pauses before retries, in milliseconds; they are not waited for. */
  pauses: number[];
  /** @returns the file's path */
  file(name: string, content: string | Buffer): string;
  /** Uploads a file, after clearing the requests that the fake has recorded. */
  upload(file: string, options?: Partial<Uploader>, progress?: FileProgress): Promise<UploadResult>;
  close(): Promise<void>;
}

export const ignore = () => undefined;

export const unseen: FileProgress = { phase: ignore, advance: ignore, notice: ignore };

/** A file above the fake's direct limit. */
export const large = randomBytes(700_001);

export function sha256Of(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) {
    Reflect.deleteProperty(process.env, name);
  } else {
    process.env[name] = value;
  }
}

export async function startUploadTest(): Promise<UploadTest> {
  const fake = await startFakeManager();
  const folder = mkdtempSync(path.join(tmpdir(), "events-upload-test-"));
  // Not the user's own: the secret of keys and the states of uploads are kept there.
  const { XDG_CONFIG_HOME: settings, XDG_CACHE_HOME: cache } = process.env;
  process.env.XDG_CONFIG_HOME = folder;
  process.env.XDG_CACHE_HOME = folder;
  const pauses: number[] = [];
  const sleep = (ms: number) => {
    pauses.push(ms);
    return Promise.resolve();
  };
  return {
    fake,
    folder,
    pauses,
    file: (name, content) => {
      const made = path.join(folder, name);
      writeFileSync(made, content);
      return made;
    },
    upload: async (file, options = {}, progress = unseen) => {
      const manager = createManagerClient({ managerUrl: fake.url, managerKey: fake.key }, sleep);
      const routes = uploadRoutesOf(await manager.description());
      fake.seen.splice(0);
      const uploader = { manager, routes, asNew: false, wait: false, sleep, ...options };
      return uploadFile(uploader, file, progress);
    },
    close: async () => {
      await fake.close();
      restore("XDG_CONFIG_HOME", settings);
      restore("XDG_CACHE_HOME", cache);
      rmSync(folder, { recursive: true });
    },
  };
}
