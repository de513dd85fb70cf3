import { browserFetch } from "../shared/companionFetch";
import { pacedFetch } from "../shared/pacedFetch";

/** What a link lets in: the answer of `GET /{ticket}`. */
export interface UploadLink {
  link_id: string;
  /** ISO 8601, UTC. */
  expires_at: string;
  note?: string;
  /** Who collects the files; absent: not set. */
  organisation?: string;
  /** Most files in all; absent: any number. */
  max_files?: number;
  /** Files that it still takes; absent: any number. */
  files_left?: number;
  /** Largest size of a file in bytes; absent: S3's own limit. */
  max_bytes?: number;
  /** Media types as patterns, such as `image/*`. */
  content_types: string[];
}

/** What became of a file: the answer of `GET /{ticket}/files/{event_id}`. */
export interface FileReport {
  event_id: string;
  /** `stored`: not processed yet. */
  status: "stored" | "processed" | "failed";
  /** Bytes. */
  size?: number;
  /** Media type. */
  type?: string;
  /** Pixels; images only. */
  width?: number;
  height?: number;
}

/** The link's API. Each may throw an `ApiError`. */
export interface LinkApi {
  /** The link's own URL, without a slash at its end. */
  url: string;
  send: (url: string, init?: RequestInit) => Promise<Response>;
  link(): Promise<UploadLink>;
  file(eventId: string): Promise<FileReport>;
}

/** @param pageUrl the URL of the page, which is the link's */
export function openLinkApi(pageUrl: string): LinkApi {
  const { origin, pathname } = new URL(pageUrl);
  const url = origin + pathname.replace(/\/+$/, "");
  const send = pacedFetch(browserFetch);
  const json = async <T>(address: string): Promise<T> => {
    const answer = await send(address, { headers: { Accept: "application/json" } });
    return (await answer.json()) as T;
  };
  return {
    url,
    send,
    link: () => json(url),
    file: (eventId) => json(`${url}/files/${encodeURIComponent(eventId)}`),
  };
}
