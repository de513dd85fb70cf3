import AwsS3, { type AwsBody } from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import { sendCompanionRequestsBy } from "../../shared/companionFetch";
import type { Api } from "../api/api";

/** A file's metadata, which Uppy sends when an upload begins. */
// eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- Uppy's type needs an index
type FileMeta = { size?: number; last_modified?: number };

/** A file on its way. */
export interface Transfer {
  id: string;
  name: string;
  /** Bytes. */
  size: number;
  sent: number;
  /** Bytes a second; undefined: not known yet. */
  speed?: number;
  state: "waiting" | "sending" | "paused" | "stored" | "failed";
  /** Of `failed`. */
  error?: string;
  /** Of `stored`. */
  eventId?: string;
}

/** The uploads of an operator. They go on while other pages of the console are open. */
export interface Transfers {
  list: () => Transfer[];
  /** @returns messages about files that were not taken */
  add: (files: File[]) => string[];
  pauseOrResume: (id: string) => void;
  retry: (id: string) => void;
  /** Ends an upload, or takes a finished one from the list. */
  remove: (id: string) => void;
  /** @returns ends the subscription */
  subscribe(onChange: () => void): () => void;
  /** Ends all uploads. */
  close: () => void;
}

/** Files that are sent at the same time. */
const CONCURRENT_FILES = 3;

/** Milliseconds over which the speed is measured. */
const SPEED_WINDOW = 5000;

/** Samples of a file's progress, of the last seconds. */
type Samples = { time: number; sent: number }[];

function speedOf(samples: Samples | undefined): number | undefined {
  const first = samples?.[0];
  const last = samples?.at(-1);
  return first && last && last.time - first.time > 500
    ? ((last.sent - first.sent) / (last.time - first.time)) * 1000
    : undefined;
}

/** @param key such as `signed/<time>/<event_id>/<name>` */
function eventIdOf(key: string | undefined): string | undefined {
  return key?.split("/")[2];
}

/** Uploads by the manager's routes, whose requests need the operator's key. */
export function openTransfers(api: Api): Transfers {
  const restoreFetch = sendCompanionRequestsBy(api.baseUrl, api.fetch);
  const uppy = new Uppy<FileMeta, AwsBody>({ autoProceed: true });
  uppy.use(AwsS3, {
    companionEndpoint: api.baseUrl,
    shouldUseMultipart: true,
    limit: CONCURRENT_FILES,
  });
  const samples = new Map<string, Samples>();
  uppy.on("upload-progress", (file, { bytesUploaded }) => {
    if (file) {
      const now = performance.now();
      const recent = (samples.get(file.id) ?? []).filter(({ time }) => now - time < SPEED_WINDOW);
      samples.set(file.id, [...recent, { time: now, sent: bytesUploaded }]);
    }
  });

  return {
    list: () =>
      uppy.getFiles().map((file) => {
        const { id, name, size, progress, isPaused, error, response } = file;
        const sent = progress.bytesUploaded || 0;
        const transfer = { id, name, size: size ?? 0, sent };
        if (progress.uploadComplete) {
          return { ...transfer, state: "stored", eventId: eventIdOf(response?.body?.key) };
        }
        if (error) {
          return { ...transfer, state: "failed", error };
        }
        if (isPaused) {
          return { ...transfer, state: "paused" };
        }
        return progress.uploadStarted
          ? { ...transfer, state: "sending", speed: speedOf(samples.get(id)) }
          : { ...transfer, state: "waiting" };
      }),
    add: (files) =>
      files.flatMap((file) => {
        if (file.size === 0) {
          return [`${file.name} is empty.`];
        }
        try {
          const meta = { size: file.size, last_modified: file.lastModified };
          uppy.addFile({ name: file.name, type: file.type, data: file, meta });
          return [];
        } catch (error) {
          return [(error as Error).message];
        }
      }),
    pauseOrResume: (id) => void uppy.pauseResume(id),
    retry: (id) => void uppy.retryUpload(id),
    remove: (id) => {
      uppy.removeFile(id);
    },
    subscribe: (onChange) => {
      uppy.on("state-update", onChange);
      return () => {
        uppy.off("state-update", onChange);
      };
    },
    close: () => {
      uppy.cancelAll();
      uppy.destroy();
      restoreFetch();
    },
  };
}
