/** Takes the pictures of docs/console.md, of a run of its own: `npm run screenshots`. */
import { closeSync, copyFileSync, ftruncateSync, openSync } from "node:fs";
import * as path from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { PROGRAM_DIR } from "../../start/programDir";
import { startWorld, type World } from "./support/world";

const FOLDER = path.join(PROGRAM_DIR, "docs", "images");

/** Each page is taken in each of these. */
const LOOKS: Record<string, BrowserContextOptions> = {
  light: { viewport: { width: 1000, height: 760 }, colorScheme: "light" },
  dark: { viewport: { width: 1000, height: 760 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", isMobile: true },
};

/** Shows a page as it is in its picture. */
type Show = (world: World, options: BrowserContextOptions) => Promise<Page>;

/** A file in the world's folder, of so many bytes without content. */
function largeFile({ folder }: World, name: string, bytes: number): string {
  const file = path.join(folder, name);
  const handle = openSync(file, "w");
  ftruncateSync(handle, bytes);
  closeSync(handle);
  return file;
}

/** A link of which a picture is here, a film is on its way, and a program was refused. */
const showLink: Show = async (world, options) => {
  const { url } = await world.manage("POST", "/links", {
    expires_in: 7 * 24 * 3600,
    max_files: 20,
    max_bytes: 2_000_000_000,
    content_types: ["image/*", "video/*"],
    note: "Pictures and films of the summer party, please. Thank you!",
  });
  const { page } = await world.open(String(url), options);
  const picture = path.join(world.folder, "At the lake.jpg");
  copyFileSync(path.join(PROGRAM_DIR, "sample.jpg"), picture);
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose files" }).click();
  await (
    await chooser
  ).setFiles([
    picture,
    largeFile(world, "The speeches.mp4", 300_000_000),
    largeFile(world, "setup.zip", 1_000_000),
  ]);
  await page.getByText(/ left/).last().waitFor();
  await page.getByRole("button", { name: "Pause The speeches.mp4" }).click();
  await page.getByText(/Processed: image/).waitFor();
  return page;
};

/** By the beginning of the picture's name. */
const PAGES: Record<string, Show> = { link: showLink };

async function main(): Promise<void> {
  const world = await startWorld({ organisation: "Example Ltd" });
  try {
    for (const [name, show] of Object.entries(PAGES)) {
      for (const [look, options] of Object.entries(LOOKS)) {
        const page = await show(world, options);
        await page.mouse.move(0, 0);
        await page.screenshot({ path: path.join(FOLDER, `${name}-${look}.png`), fullPage: true });
        await page.context().close();
      }
    }
  } finally {
    await world.stop();
  }
}

void main();
