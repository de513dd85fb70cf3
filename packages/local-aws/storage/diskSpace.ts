import { statfsSync } from "node:fs";
import { DiskFull, isDiskFull } from "./diskFull";

const MIB = 1 << 20;

/** Bytes that must stay free after content is stored: what the functions still have to write. */
const CONTENT_RESERVE = 8 * MIB;

/** Bytes below which nothing is written any more: a database that meets a full disk may be torn. */
const WRITE_RESERVE = 2 * MIB;

/** How often a full disk is looked at again, in ms. */
const POLL_MS = 500;

/** Operations that store content. */
const CONTENT = /^s3:(Put|Post|Copy)Object$|^s3:(CreateMultipartUpload|UploadPart)/;

/** Operations that need no space, or free some. */
const FREE =
  /:(Abort|BatchGet|Delete|Describe|Get|Head|List|Purge|Query|Receive|Scan|Select|TransactGet|Unsubscribe|Untag)/;

/** Guards the disk of a run's data: requests are refused before it is full. */
export interface DiskSpace {
  /**
   * @param operation `service:Operation`
   * @param bytes that it is going to write
   * @throws DiskFull
   */
  admit(operation: string, bytes: number): void;
  /**
   * @param bytes of content that are going to be written
   * @throws DiskFull
   */
  admitContent(bytes: number): void;
  /** Notes an error that may say that the disk is full; DiskFull for one that does. */
  explain(error: unknown): unknown;
  close(): void;
}

export interface DiskSpaceOptions {
  folder: string;
  /** @default of the folder's file system */
  freeBytes?: () => number;
  /** Gets one line when the disk becomes full, and one when there is space again. */
  onChange: (message: string) => void;
}

export function createDiskSpace(options: DiskSpaceOptions): DiskSpace {
  const { folder, freeBytes = () => freeBytesOf(folder), onChange } = options;
  let timer: NodeJS.Timeout | undefined;
  /** What must be free for the disk to count as usable again: all that was refused. */
  let needed = 0;

  function refusal(bytes: number): DiskFull {
    needed = Math.max(needed, bytes);
    if (!timer) {
      onChange(
        `The disk of ${folder} is full: requests that write are refused with 503 until there is ` +
          "space again.",
      );
      timer = setInterval(recover, POLL_MS).unref();
    }
    return new DiskFull();
  }

  function recover(): void {
    if (timer && freeBytes() >= needed) {
      clearInterval(timer);
      timer = undefined;
      needed = 0;
      onChange(`The disk of ${folder} has space again.`);
    }
  }

  function demand(bytes: number): void {
    if (freeBytes() < bytes) {
      throw refusal(bytes);
    }
    recover();
  }

  return {
    admit(operation, bytes) {
      if (CONTENT.test(operation)) {
        demand(bytes + CONTENT_RESERVE);
      } else if (!FREE.test(operation)) {
        demand(bytes + WRITE_RESERVE);
      }
    },
    admitContent(bytes) {
      demand(bytes + CONTENT_RESERVE);
    },
    explain: (error) => (isDiskFull(error) ? refusal(CONTENT_RESERVE) : error),
    close() {
      clearInterval(timer);
    },
  };
}

function freeBytesOf(folder: string): number {
  try {
    const { bavail, bsize, blocks } = statfsSync(folder);
    // Some file systems do not say.
    return blocks === 0 ? Infinity : bavail * bsize;
  } catch {
    return Infinity;
  }
}
