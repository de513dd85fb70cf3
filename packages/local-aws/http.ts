/** One HTTP request, read to its end before it is handled. */
export interface HttpRequest {
  method: string;
  /** Path and query string exactly as they were sent: not decoded, not normalised. */
  url: string;
  /** Names in lower case; repeated headers joined with ", ". */
  headers: Record<string, string>;
  body: Buffer;
}

/** One HTTP response, complete before its first byte goes out. */
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}
