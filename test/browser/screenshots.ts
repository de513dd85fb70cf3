/** Takes the pictures of docs/console.md, of a run of its own: `npm run screenshots`. */
import { closeSync, copyFileSync, ftruncateSync, openSync } from "node:fs";
import * as path from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { FileEvent } from "../../events/event";
import { PROGRAM_DIR } from "../../start/programDir";
import { failedEvent } from "../../testing/events";
import { openConsole } from "./support/operator";
import { finishedEvent, putEvents } from "./support/seed";
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

const NAMES = ["holiday.jpg", "Rechnung März.pdf", "report.csv", "film.mp4", "<b>plan</b>.txt"];

const TYPES = ["image/jpeg", "application/pdf", "text/csv", "video/mp4", "text/plain"];

/** Events of a day, as if files had come through it. */
function pastEvents(): FileEvent[] {
  return Array.from({ length: 200 }, (_, index) => {
    const hoursAgo = index / 9;
    const event = finishedEvent(
      NAMES[index % NAMES.length] ?? "",
      3600 * (hoursAgo + Math.sin(hoursAgo) / 2 + 0.6),
    );
    const { event_id, event_timestamp, updated_at } = event;
    const size = 20_000 * (1 + (index % 13)) ** 2;
    const event_info = { ...event.event_info, Size: size };
    return index % 23 === 7
      ? failedEvent({ event_id, event_timestamp, event_info, updated_at })
      : { ...event, event_info, event_result: { size, type: TYPES[index % TYPES.length] ?? "" } };
  });
}

/** The list of events of a day. */
const showEvents: Show = async (world, options) => {
  const { page, row } = await openConsole(world, "", options);
  await page.getByText(/ in 24 hours/).waitFor();
  await row("At the lake.jpg").first().getByText("notified").waitFor();
  return page;
};

/** The event of a picture that came through a link. */
const showEvent: Show = async (world, options) => {
  const { page, row } = await openConsole(world, "", options);
  await row("At the lake.jpg").first().getByRole("link").click();
  await page.getByText("by notify").waitFor();
  const picture = page.getByRole("img", { name: "Preview of At the lake.jpg" });
  await picture.evaluate((element) => (element as unknown as { decode(): Promise<void> }).decode());
  return page;
};

const showLinks: Show = async (world, options) => {
  const { page } = await openConsole(world, "#/links", options);
  await page.getByRole("article").first().waitFor();
  return page;
};

interface Picture {
  /** The beginning of its name. */
  name: string;
  show: Show;
  /** @default all */
  looks?: string[];
  /** Also what is below the window's end. @default true */
  isFullPage?: boolean;
}

/** In this order: the console shows what came through the links. */
const PICTURES: Picture[] = [
  { name: "link", show: showLink },
  { name: "console", show: showEvents, isFullPage: false },
  { name: "event", show: showEvent, looks: ["dark"] },
  { name: "links", show: showLinks, looks: ["light"], isFullPage: false },
];

async function main(): Promise<void> {
  const world = await startWorld({ organisation: "Example Ltd" });
  try {
    await putEvents(world, pastEvents());
    for (const { name, show, looks = Object.keys(LOOKS), isFullPage = true } of PICTURES) {
      for (const look of looks) {
        const options = LOOKS[look] ?? {};
        const page = await show(world, options);
        await page.mouse.move(0, 0);
        await page.screenshot({
          path: path.join(FOLDER, `${name}-${look}.png`),
          fullPage: isFullPage,
        });
        await page.context().close();
      }
    }
  } finally {
    await world.stop();
  }
}

void main();
