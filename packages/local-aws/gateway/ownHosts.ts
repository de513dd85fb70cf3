import { isIP } from "node:net";
import type { HttpRequest } from "../http";

/** The names by which clients may call a server on this machine. */
export interface OwnHosts {
  /**
   * Whether a Host header names this server. A web page can have its own name resolve to
   * 127.0.0.1 (DNS rebinding): its requests then have that name, and browsers let it read the
   * answers.
   */
  isOwn(host: string | undefined): boolean;
  /**
   * Whether a browser sent this request for a page of another origin. Programs send none of the
   * headers by which a browser says so.
   *
   * @see https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
   */
  isForeign(headers: HttpRequest["headers"]): boolean;
}

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** S3's virtual-hosted addresses: every resolver has these names on the machine itself. */
const BUCKET_HOST = /^[a-z0-9][a-z0-9.-]*\.localhost$/;

const HTTP_PORT = 80;

/** @param address on which the server listens, such as 127.0.0.1 */
export function createOwnHosts(address: string, port: number): OwnHosts {
  const own = new Set([...LOOPBACK, urlHost(address)]);
  // Listening on all addresses: by any of them, as none can be a web page's name.
  const isAnyAddress = address === "0.0.0.0" || address === "::";

  function isOwnName(name: string): boolean {
    return own.has(name) || (isAnyAddress && isIP(name.replace(/^\[(.*)\]$/, "$1")) > 0);
  }

  /** The name, if the port is this server's. */
  function nameOf(host: string): string | undefined {
    const [, name, digits] = /^([^:]+|\[[0-9a-f:]+\])(?::(\d+))?$/i.exec(host) ?? [];
    return Number(digits ?? HTTP_PORT) === port ? name?.toLowerCase() : undefined;
  }

  function isOwnOrigin(origin: string): boolean {
    const name = origin.startsWith("http://") ? nameOf(origin.slice("http://".length)) : undefined;
    return name !== undefined && isOwnName(name);
  }

  return {
    isOwn(host) {
      const name = nameOf(host ?? "");
      return name !== undefined && (isOwnName(name) || BUCKET_HOST.test(name));
    },
    isForeign(headers) {
      const site = headers["sec-fetch-site"];
      if (site === "same-origin" || site === "none") {
        return false;
      }
      const { origin } = headers;
      return origin === undefined ? site !== undefined : !isOwnOrigin(origin);
    },
  };
}

function urlHost(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}
