import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import { sendCompanionRequestsBy } from "../companionFetch";
import { type Failure, failureOf } from "./failure";
import type { Memory } from "./memory";
import { createSpeed, type Speed } from "./speed";
import { eventIdIn, type Transfer, type TransferState } from "./transfer";

export interface TransfersOptions {
  /** The URL before `/s3/multipart`, without a slash at its end. */
  serverUrl: string;
  /** Sends a request to that URL. @throws ApiError for an answer that is not OK, and for none */
  send: (url: string, init?: RequestInit) => Promise<Response>;
  /** Of the files' uploads. */
  memory: Memory;
  /** The media type to declare. @default the browser's own, or else by the file name's ending */
  typeOf?: (file: File) => string | undefined;
  /** Called after changes, at most ten times a second. */
  onChange: () => void;
  /** Whether the server has the whole file: asked where it no longer has the upload. */
  isStored: (eventId: string) => Promise<boolean>;
  /** Called once for each file that is sent. */
  onSent?: (transfer: Transfer) => void;
  /** Called for each file that is refused. */
  onFailed?: (transfer: Transfer) => void;
}

/** Files on their way from this page to the bucket, by Uppy. */
export interface Transfers {
  /** In the order in which they were added. */
  list: () => Transfer[];
  /** Sends files. A file that is in the list already is left out, and so is one that was sent before. */
  add: (files: File[]) => void;
  pause: (id: string) => void;
  /** Goes on with a paused one. */
  resume: (id: string) => void;
  /** Tries a broken or refused one again, at once; sends one again that was sent before. */
  retry: (id: string) => void;
  /** Ends it, and takes it from the list. */
  cancel: (id: string) => void;
  /** Ends all, to be resumed by another visit. */
  close: () => void;
}

/** Uppy's type leaves out that a file may be gone. */
type UppyFileOrNone = ReturnType<Uppy["getFile"]> | undefined;

interface Entry {
  id: string;
  file: File;
  state: TransferState;
  sentBytes: number;
  speed: Speed;
  isResumed: boolean;
  resumedBytes?: number;
  wasSentBefore: boolean;
  /** Attempts since something was sent last. */
  attempts: number;
  retryAt?: number;
  timer?: ReturnType<typeof setTimeout>;
  error?: Failure;
  key?: string;
  uploadId?: string;
  /** Another file of the list has the same name, size and time. */
  isTwin: boolean;
}

const CHANGES_MS = 100;

/** Milliseconds until a broken upload goes on; doubled with each attempt. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;

/** How many files are sent at once, each part after part: what a browser opens to one host. */
const FILES_AT_ONCE = 5;

/** Errors are the page's own to show. */
const SILENT = { debug: () => undefined, warn: () => undefined, error: () => undefined };

const UNREADABLE: Failure = {
  next: "never",
  code: "not_readable",
  message: "The file can no longer be read: it was changed, moved or deleted. Choose it again.",
};

/** Where the file was in a chosen folder; its name, if it was chosen by itself. */
function pathOf(file: File): string {
  const { relativePath } = file as { relativePath?: string };
  return relativePath ?? (file.webkitRelativePath || file.name);
}

const identityOf = (file: File) => JSON.stringify([file.name, file.size, file.lastModified]);

export function openTransfers(options: TransfersOptions): Transfers {
  const { serverUrl, memory } = options;
  const entries = new Map<string, Entry>();
  const restoreFetch = sendCompanionRequestsBy(serverUrl, options.send);
  const uppy = new Uppy({ logger: SILENT }).use(AwsS3, {
    companionEndpoint: serverUrl,
    shouldUseMultipart: true,
    limit: FILES_AT_ONCE,
  });

  let changes: ReturnType<typeof setTimeout> | undefined;
  function changed(): void {
    changes ??= setTimeout(() => {
      changes = undefined;
      options.onChange();
    }, CHANGES_MS);
  }

  function transferOf(entry: Entry): Transfer {
    const { id, file, state, sentBytes, isResumed, resumedBytes, wasSentBefore } = entry;
    const { retryAt, error, key } = entry;
    return {
      id,
      name: pathOf(file).replace(/^\//, ""),
      size: file.size,
      state,
      sentBytes: state === "sent" ? file.size : Math.min(sentBytes, file.size),
      bytesPerSecond: state === "sending" ? entry.speed.bytesPerSecond() : undefined,
      isResumed,
      resumedBytes,
      wasSentBefore,
      retryAt: state === "interrupted" ? retryAt : undefined,
      error: state === "interrupted" || state === "failed" ? error : undefined,
      eventId: key === undefined ? undefined : eventIdIn(key),
    };
  }

  /** The upload that the server has of the file, if it has told by now. */
  function noteUpload(entry: Entry): void {
    const upload = (uppy.getFile(entry.id) as UppyFileOrNone)?.s3Multipart;
    if (upload && upload.uploadId !== entry.uploadId) {
      Object.assign(entry, upload);
      if (!entry.isTwin) {
        memory.keep(entry.file, upload);
      }
    }
  }

  function start(entry: Entry): void {
    clearTimeout(entry.timer);
    Object.assign(entry, { state: "waiting", error: undefined, retryAt: undefined });
    entry.speed.restart();
    changed();
    // Of this file only: `upload()` would also try all again that were refused.
    void uppy.retryUpload(entry.id);
  }

  function forget(entry: Entry): void {
    Object.assign(entry, { key: undefined, uploadId: undefined, sentBytes: 0, isResumed: false });
    uppy.setFileState(entry.id, { s3Multipart: undefined });
    if (!entry.isTwin) {
      memory.forget(entry.file);
    }
  }

  /** The server no longer has the upload: it is completed, whose answer was lost, or dropped. */
  async function startAnew(entry: Entry, { key }: { key: string }): Promise<void> {
    const isStored = await options.isStored(eventIdIn(key) ?? "").catch(() => undefined);
    if (entries.get(entry.id) !== entry) {
      return;
    }
    if (isStored === undefined) {
      retryLater(entry);
    } else if (isStored) {
      onSent(entry);
    } else {
      forget(entry);
      start(entry);
    }
    changed();
  }

  /** A file that was changed, moved or deleted since it was chosen fails as if it were the connection. */
  async function failIfUnreadable(entry: Entry): Promise<void> {
    try {
      await entry.file.slice(0, 1).arrayBuffer();
    } catch {
      if (entry.state === "interrupted") {
        clearTimeout(entry.timer);
        entry.error = UNREADABLE;
        onFailed(entry);
      }
    }
  }

  function onFailed(entry: Entry): void {
    entry.state = "failed";
    options.onFailed?.(transferOf(entry));
    changed();
  }

  function onSent(entry: Entry): void {
    entry.state = "sent";
    const { key, uploadId } = entry;
    if (key !== undefined && uploadId !== undefined && !entry.isTwin) {
      memory.keep(entry.file, { key, uploadId, isSent: true });
    }
    options.onSent?.(transferOf(entry));
    changed();
  }

  function retryLater(entry: Entry): void {
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** entry.attempts);
    entry.attempts += 1;
    // Not all files at the same moment.
    const milliseconds = wait * (0.75 + Math.random() / 2);
    entry.state = "interrupted";
    entry.retryAt = Date.now() + milliseconds;
    entry.timer = setTimeout(start, milliseconds, entry);
  }

  function onError(entry: Entry, thrown: unknown): void {
    const failure = failureOf(thrown);
    noteUpload(entry);
    entry.error = failure;
    const { key } = entry;
    if (failure.next === "done") {
      onSent(entry);
    } else if (failure.next === "anew" && key !== undefined) {
      entry.state = "waiting";
      void startAnew(entry, { key });
    } else if (failure.next === "again") {
      retryLater(entry);
      void failIfUnreadable(entry);
    } else {
      onFailed(entry);
    }
    changed();
  }

  uppy.on("upload-progress", (file, { bytesUploaded }) => {
    const entry = file && entries.get(file.id);
    if (entry && entry.state !== "paused" && typeof bytesUploaded === "number") {
      noteUpload(entry);
      if (bytesUploaded > entry.sentBytes) {
        entry.attempts = 0;
      }
      Object.assign(entry, { state: "sending", sentBytes: bytesUploaded });
      if (entry.isResumed) {
        entry.resumedBytes ??= bytesUploaded;
      }
      entry.speed.add(bytesUploaded);
      changed();
    }
  });
  uppy.on("upload-error", (file, error) => {
    const entry = file && entries.get(file.id);
    if (entry) {
      onError(entry, error);
    }
  });
  uppy.on("upload-success", (file) => {
    const entry = file && entries.get(file.id);
    if (entry) {
      noteUpload(entry);
      onSent(entry);
    }
  });
  // At once when the server has told it: the page may be closed before anything is sent.
  uppy.on("state-update", () => {
    for (const entry of entries.values()) {
      if (entry.state === "waiting") {
        noteUpload(entry);
      }
    }
  });

  /** Goes on with what waits for the connection. */
  function onOnline(): void {
    for (const entry of entries.values()) {
      if (entry.state === "interrupted") {
        start(entry);
      }
    }
  }
  addEventListener("online", onOnline);

  function addOne(file: File): void {
    const twins = [...entries.values()].filter(
      (entry) => identityOf(entry.file) === identityOf(file),
    );
    const path = pathOf(file);
    if (twins.some((twin) => pathOf(twin.file) === path)) {
      return;
    }
    const isTwin = twins.length > 0;
    const kept = isTwin ? undefined : memory.find(file);
    const id = uppy.addFile({
      name: file.name,
      type: options.typeOf?.(file),
      data: file,
      source: "page",
      meta: {
        relativePath: path,
        size: file.size,
        // By these the server finds an upload again whose answer was lost; twins are files of their own.
        ...(!isTwin && { last_modified: file.lastModified }),
      },
    });
    const entry: Entry = {
      id,
      file,
      state: kept?.isSent ? "sent" : "waiting",
      sentBytes: 0,
      speed: createSpeed(),
      isResumed: kept !== undefined && !kept.isSent,
      wasSentBefore: kept?.isSent ?? false,
      attempts: 0,
      isTwin,
      key: kept?.key,
      uploadId: kept?.uploadId,
    };
    entries.set(id, entry);
    if (kept?.isSent) {
      options.onSent?.(transferOf(entry));
    } else {
      if (kept) {
        uppy.setFileState(id, { s3Multipart: { key: kept.key, uploadId: kept.uploadId } });
      }
      start(entry);
    }
    changed();
  }

  /** Uppy ends only uploads that run. */
  function abort({ key, uploadId }: Entry): void {
    if (key !== undefined && uploadId !== undefined) {
      const upload = `${encodeURIComponent(uploadId)}?${new URLSearchParams({ key }).toString()}`;
      // What is not ended now lapses.
      options
        .send(`${serverUrl}/s3/multipart/${upload}`, { method: "DELETE" })
        .catch(() => undefined);
    }
  }

  const withEntry = (act: (entry: Entry) => void) => (id: string) => {
    const entry = entries.get(id);
    if (entry) {
      act(entry);
      changed();
    }
  };

  return {
    list: () => [...entries.values()].map(transferOf),
    add(files) {
      files.forEach(addOne);
    },
    pause: withEntry((entry) => {
      if (entry.state === "sending") {
        entry.state = "paused";
        uppy.pauseResume(entry.id);
      }
    }),
    resume: withEntry((entry) => {
      if (entry.state === "paused") {
        entry.state = "sending";
        entry.speed.restart();
        uppy.pauseResume(entry.id);
      }
    }),
    retry: withEntry((entry) => {
      if (entry.wasSentBefore) {
        entry.wasSentBefore = false;
        forget(entry);
      }
      start(entry);
    }),
    cancel: withEntry((entry) => {
      clearTimeout(entry.timer);
      entries.delete(entry.id);
      const isRunning = !["interrupted", "failed", "sent"].includes(entry.state);
      uppy.removeFile(entry.id);
      if (!isRunning && entry.state !== "sent") {
        abort(entry);
      }
      if (!entry.isTwin && entry.state !== "sent") {
        memory.forget(entry.file);
      }
    }),
    close() {
      removeEventListener("online", onOnline);
      clearTimeout(changes);
      for (const entry of entries.values()) {
        clearTimeout(entry.timer);
      }
      entries.clear();
      uppy.pauseAll();
      restoreFetch();
    },
  };
}
