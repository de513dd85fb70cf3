import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import type { WatchedPage } from "./watchedPage";
import type { World } from "./world";

/** A tab with the console, of an operator who has signed in. */
export interface Operator extends WatchedPage {
  /** Goes to a page of the console by the URL's fragment, such as `#/links`. */
  go: (fragment: string) => Promise<void>;
  /** The rows of the list of events that are in the page, its heading included. */
  rows: Locator;
  /** The row of a file in the list of events. */
  row: (name: string) => Locator;
  button: (name: string | RegExp) => Locator;
}

export function consoleUrl({ run }: World): string {
  return String(run.outputs.consoleUrl);
}

export async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel("Manager key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export async function openConsole(
  world: World,
  fragment = "",
  options?: BrowserContextOptions,
): Promise<Operator> {
  const watched = await world.open(consoleUrl(world) + fragment, options);
  const { page } = watched;
  await signIn(page, String(world.run.outputs.managerApiKey));
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  const rows = page.getByRole("table", { name: "Events" }).getByRole("row");
  return {
    ...watched,
    go: async (next) => {
      // A text: what runs in the page has the browser's globals.
      await page.evaluate(`location.hash = ${JSON.stringify(next)}`);
    },
    rows,
    row: (name) => rows.filter({ hasText: name }),
    button: (name) => page.getByRole("button", { name }),
  };
}
