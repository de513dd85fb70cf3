import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { expect } from "chai";
import type { Page } from "playwright-core";

/** A tab whose every fault is noted. */
export interface WatchedPage {
  page: Page;
  /** Fails where anything went wrong: violations of the policy, errors of scripts, other origins. */
  expectNoFaults: () => void;
  /** Fails where axe-core finds a violation on the page as it is now. */
  expectAccessible: () => Promise<void>;
}

const requireModule = createRequire(__filename);

const AXE = readFileSync(requireModule.resolve("axe-core/axe.min.js"), "utf8");

/** Written by the page's own listener, from before its first script on. */
const VIOLATION = "Content-Security-Policy violated: ";

/** Opens the URL in the tab. @param origins all that it may ask */
export async function watchPage(page: Page, url: string, origins: string[]): Promise<WatchedPage> {
  const faults: string[] = [];
  page.on("console", (message) => {
    const text = message.text();
    if (text.startsWith(VIOLATION) || /Content.Security.Policy/i.test(text)) {
      faults.push(text);
    }
  });
  page.on("pageerror", (error) => faults.push(`An error of a script: ${error.message}`));
  page.on("request", (request) => {
    const address = new URL(request.url());
    const isOwn = ["data:", "blob:"].includes(address.protocol) || origins.includes(address.origin);
    if (!isOwn) {
      faults.push(`A request to another origin: ${request.url()}`);
    }
  });
  page.on("dialog", (dialog) => {
    if (dialog.type() !== "beforeunload") {
      faults.push(`A dialog: ${dialog.message()}`);
    }
    void dialog.accept();
  });
  await page.addInitScript(`
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      console.error("${VIOLATION}" + violatedDirective + " " + blockedURI);
    });
  `);
  await page.goto(url);

  return {
    page,
    expectNoFaults() {
      expect(faults).to.deep.equal([]);
    },
    async expectAccessible() {
      // Evaluated by the debugger, whose scripts the page's policy lets pass.
      await page.evaluate(AXE);
      const { violations } = await page.evaluate<AxeResults>("axe.run()");
      const found = violations.map(({ id, help, nodes }) => ({
        id,
        help,
        nodes: nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary ?? ""}`),
      }));
      expect(found).to.deep.equal([]);
    },
  };
}
