/**
 * What a browser's libraries need of `XMLHttpRequest` to send a file, over Node's `fetch`. It knows no
 * progress but the end, and no origins.
 */
export class XmlHttpRequest {
  status = 0;
  statusText = "";
  responseText = "";
  responseType = "";
  withCredentials = false;
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readonly upload: { onprogress: ((event: object) => void) | null } = { onprogress: null };
  private method = "GET";
  private url = "";
  private readonly headers = new Headers();
  private received = new Headers();
  private readonly controller = new AbortController();

  open(method: string, url: string): void {
    this.method = method;
    this.url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.headers.append(name, value);
  }

  getResponseHeader(name: string): string | null {
    return this.received.get(name);
  }

  abort(): void {
    this.controller.abort();
  }

  send(body: Blob | string | null): void {
    const { method, headers, controller } = this;
    fetch(this.url, { method, headers, body, signal: controller.signal })
      .then(async (answer) => {
        this.responseText = await answer.text();
        this.status = answer.status;
        this.statusText = answer.statusText;
        this.received = answer.headers;
        const total = body instanceof Blob ? body.size : 0;
        this.upload.onprogress?.({ lengthComputable: true, loaded: total, total });
        this.onload?.();
      })
      .catch(() => {
        if (!controller.signal.aborted) {
          this.onerror?.();
        }
      });
  }
}
