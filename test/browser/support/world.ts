import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type Run, startRun } from "../../../start/run";
import { UNTHROTTLED } from "../../../testing/unthrottled";
import { launchChromium } from "./chromium";
import { type Proxy, startProxy } from "./proxy";
import { type WatchedPage, watchPage } from "./watchedPage";

/** The program on this machine, and a browser that reaches it by a proxy. */
export interface World {
  run: Run;
  browser: Browser;
  proxy: Proxy;
  /** A folder of the test's own. */
  folder: string;
  /** The same URL under the pages' origin: `localhost`, while the bucket's is `127.0.0.1`. */
  pageUrl(url: string): string;
  /** A request of an operator to the manager's API; the answer's JSON. */
  manage(method: string, route: string, body?: object): Promise<Record<string, unknown>>;
  /** A tab of its own, with storage of its own. */
  open(url: string, options?: BrowserContextOptions): Promise<WatchedPage>;
  /** Another tab with the storage of an open one. */
  openBeside(page: Page, url: string): Promise<WatchedPage>;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

/**
 * Starts all of it.
 *
 * @param config settings besides those that lift the throttle
 */
export async function startWorld(config: Record<string, string> = {}): Promise<World> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const run = await startRun({ port, config: { ...UNTHROTTLED, corsOrigins: origin, ...config } });
  const proxy = await startProxy();
  const browser = await launchChromium(proxy.url);
  const folder = mkdtempSync(path.join(tmpdir(), "browser-"));
  const pageUrl = (url: string) => url.replace(run.endpoint, origin);
  const origins = [origin, run.endpoint];

  return {
    run,
    browser,
    proxy,
    folder,
    pageUrl,
    async manage(method, route, body) {
      const { managerUrl, managerApiKey } = run.outputs;
      const answer = await fetch(String(managerUrl) + route, {
        method,
        headers: { "x-api-key": String(managerApiKey), "Content-Type": "application/json" },
        body: body && JSON.stringify(body),
      });
      const text = await answer.text();
      if (!answer.ok) {
        throw new Error(`${method} ${route}: ${answer.status} ${text}`);
      }
      return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    },
    async open(url, options = {}) {
      const context = await browser.newContext(options);
      return watchPage(await context.newPage(), pageUrl(url), origins);
    },
    async openBeside(page, url) {
      return watchPage(await page.context().newPage(), pageUrl(url), origins);
    },
    async stop() {
      await browser.close();
      proxy.stop();
      await run.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
