import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { expect } from "chai";
import { PROGRAM_DIR } from "../../start/programDir";
import { eventually } from "../../testing/eventually";
import { consoleUrl, openConsole, type Operator, signIn } from "./support/operator";
import { finishedEvent, putEvents, putFailedFile, upload } from "./support/seed";
import { startWorld, type World } from "./support/world";

const SAMPLE = path.join(PROGRAM_DIR, "sample.jpg");

/** Its name is markup that would run a script. */
const MARKUP = "<img src=x onerror=alert(1)>.txt";

/** A shell's words; the printed line quotes with single quotes only. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** Resolves when it holds; the test's timeout ends the wait. */
function until(holds: () => Promise<boolean>): Promise<true> {
  return eventually(async () => (await holds()) || undefined, 50);
}

/** These two run in the page. */
const widthOf = (element: object) => (element as { naturalWidth: number }).naturalWidth;
const topOf = (element: object) =>
  (element as { getBoundingClientRect(): { top: number } }).getBoundingClientRect().top;

/** Opens an event from the list. */
async function openEvent(operator: Operator, name: string): Promise<void> {
  await operator.row(name).getByRole("link").click();
  await operator.page.getByRole("heading", { level: 1, name }).waitFor();
}

describe("the console", () => {
  let world: World;

  async function statusOf(eventId: string): Promise<string> {
    const { event } = await world.manage("GET", `/events/${eventId}`);
    return (event as { event_status: string }).event_status;
  }

  before(async () => {
    world = await startWorld();
  });

  after(() => world.stop());

  it("asks for the manager's key, says that one is wrong, and keeps it in the tab only", async () => {
    const { page, expectNoFaults, expectAccessible } = await world.open(consoleUrl(world));
    const isSignedIn = () => page.getByRole("button", { name: "Sign out" }).waitFor();
    await signIn(page, "no-key");
    await page.getByText("The key is wrong.").waitFor();
    await page.getByText("403 forbidden").waitFor();
    await expectAccessible();
    expect(await page.evaluate("Object.keys(sessionStorage)")).to.deep.equal([]);

    await signIn(page, String(world.run.outputs.managerApiKey));
    await isSignedIn();
    await page.reload();
    await isSignedIn();
    expect(await page.evaluate("[localStorage.length, document.cookie]")).to.deep.equal([0, ""]);
    const beside = await world.openBeside(page, consoleUrl(world));
    await beside.page.getByLabel("Manager key").waitFor();

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Manager key").waitFor();
    expect(await page.evaluate("sessionStorage.length")).to.equal(0);
    expectNoFaults();
    await page.context().close();
  });

  it("shows the line that uploads a file where there is none, and then the file by itself", async () => {
    const operator = await openConsole(world);
    const line = await operator.page.locator("pre code").filter({ hasText: "curl" }).textContent();
    await operator.expectAccessible();

    const words = wordsOf(line ?? "");
    const url = words.at(-1) ?? "";
    expect(words).to.include("@sample.jpg");
    expect(url).to.match(/\/upload\?filename=sample\.jpg$/);
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "image/jpeg" },
      body: await readFile(SAMPLE),
    });
    expect(answer.status).to.equal(201);

    await operator.row("sample.jpg").getByText("notified").waitFor();
    await operator.expectAccessible();
    operator.expectNoFaults();
    await operator.page.context().close();
  });

  it("shows an event with its facts, history and picture, and downloads the file", async () => {
    const operator = await openConsole(world, "#/events?status=notified");
    const { page } = operator;
    await openEvent(operator, "sample.jpg");

    await page.getByText("1200 × 800 pixels").waitFor();
    const history = page.getByRole("region", { name: "History" }).getByRole("listitem");
    await until(async () => (await history.count()) === 3);
    expect(await history.allTextContents()).to.satisfy((texts: string[]) =>
      ["upload", "process", "notify"].every((name, index) => texts[index]?.includes(`by ${name}`)),
    );
    const picture = page.getByRole("img", { name: "Preview of sample.jpg" });
    await until(async () => (await picture.evaluate(widthOf)) === 1200);
    await operator.expectAccessible();
    const url = page.url();

    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download" }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).to.equal("sample.jpg");
    expect(await readFile(await download.path())).to.deep.equal(await readFile(SAMPLE));

    // The event has a URL of its own.
    await page.reload();
    expect(page.url()).to.equal(url);
    await page.getByRole("heading", { level: 1, name: "sample.jpg" }).waitFor();
    operator.expectNoFaults();
    await page.context().close();
  });

  it("shows markup in names and files as text", async () => {
    await upload(world, MARKUP, "text", "text/plain");
    await upload(world, "page.html", "<script>alert(2)</script><img src=x>", "text/html");
    await putEvents(world, [
      { ...finishedEvent("<b>bold</b>", 5), link_id: "<i>link</i>", attempts: 1 },
    ]);
    const operator = await openConsole(world);
    const { page } = operator;
    for (const name of [MARKUP, "page.html", "<b>bold</b>"]) {
      await openEvent(operator, name);
      expect(await page.title()).to.equal(`${name} – Console`);
      await page.getByText("The answer of the API").click();
      await page.getByRole("link", { name: "← Events" }).click();
    }
    await page.getByLabel("Name, of the loaded events").fill("<IMG src");
    await until(async () => (await operator.rows.count()) === 2);

    await openEvent(operator, MARKUP);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download" }).click(),
    ]);
    expect(await readFile(await download.path(), "utf8")).to.equal("text");
    expect(await page.locator("main b b, main i, main img").count()).to.equal(0);
    operator.expectNoFaults();
    await page.context().close();
  });

  it("retries a failed event, which the other operator sees by itself", async () => {
    const event = await putFailedFile(world, "retried.txt");
    const first = await openConsole(world, "#/events?status=failed");
    const second = await openConsole(world, "#/events?status=failed");
    await second.row("retried.txt").waitFor();
    await openEvent(first, "retried.txt");
    await first.page.getByText("NoSuchKey, in the step process").waitFor();
    await first.expectAccessible();

    await first.button("Retry").click();

    await first.page.getByRole("status").getByText("Retried").waitFor();
    await first.page.getByText("by notify").waitFor();
    await second.row("retried.txt").waitFor({ state: "detached" });
    expect(await statusOf(event.event_id)).to.equal("notified");
    first.expectNoFaults();
    second.expectNoFaults();
    await first.page.context().close();
    await second.page.context().close();
  });

  it("says what the API says where the other operator was first", async () => {
    const event = await putFailedFile(world, "twice.txt");
    const deleted = await putFailedFile(world, "gone.txt");
    const operator = await openConsole(world, `#/events/${event.event_id}`);
    await operator.button("Retry").waitFor();
    // Its page does not learn of it by itself.
    await operator.page.route(`**/events/${event.event_id}`, (route) => route.abort());
    await world.manage("POST", `/events/${event.event_id}/retry`);

    await operator.button("Retry").click();

    await operator.page.getByText("409 not_failed").waitFor();

    await operator.go(`#/events/${deleted.event_id}`);
    await operator.button("Delete…").click();
    await operator.page.route(`**/events/${deleted.event_id}`, (route) =>
      route.request().method() === "GET" ? route.abort() : route.continue(),
    );
    await world.manage("DELETE", `/events/${deleted.event_id}`);
    await operator.button("Delete").last().click();
    await operator.page.getByText("Somebody else has deleted it already: gone.txt").waitFor();
    operator.expectNoFaults();
    await operator.page.context().close();
  });

  it("deletes an event after a question, which the other operator's page tells", async () => {
    await upload(world, "deleted.txt", "text", "text/plain");
    const first = await openConsole(world, "#/events?status=notified");
    const second = await openConsole(world, "#/events?status=notified");
    const third = await openConsole(world, "#/events?status=notified");
    await third.row("deleted.txt").waitFor();
    await openEvent(second, "deleted.txt");
    await openEvent(first, "deleted.txt");

    await first.button("Delete…").click();
    const question = first.page.getByRole("dialog");
    await question.getByText("deleted.txt is deleted for good").waitFor();
    await first.expectAccessible();
    await question.getByRole("button", { name: "Cancel" }).click();
    await question.waitFor({ state: "detached" });
    await first.button("Delete…").click();
    await question.getByRole("button", { name: "Delete" }).click();

    await first.page.getByText("Deleted: deleted.txt").waitFor();
    expect(new URL(first.page.url()).hash).to.equal("#/events?status=notified");
    await first.row("deleted.txt").waitFor({ state: "detached" });
    await third.row("deleted.txt").waitFor({ state: "detached" });
    await second.page.getByText("404 event_not_found").waitFor();
    await second.page.getByText("perhaps by another operator").waitFor();
    await second.expectAccessible();
    for (const operator of [first, second, third]) {
      operator.expectNoFaults();
      await operator.page.context().close();
    }
  });

  it("retries all failed events of the chosen time, after a dry run", async () => {
    const events = [];
    for (const name of ["all-1.txt", "all-2.txt", "all-3.txt"]) {
      events.push(await putFailedFile(world, name));
    }
    const old = { ...finishedEvent("old.txt", 7200), event_status: "failed" as const };
    await putEvents(world, [old]);
    const from = new Date(Date.now() - 3_600_000).toISOString();
    const query = new URLSearchParams({ status: "failed", from }).toString();
    const operator = await openConsole(world, `#/events?${query}`);
    await operator.row("all-3.txt").waitFor();

    await operator.button("Retry all failed…").click();
    const dialog = operator.page.getByRole("dialog");
    await dialog.getByText(/Dry run: \d+ events can be retried/).waitFor();
    await dialog.getByText("of those in the chosen time").waitFor();
    await operator.expectAccessible();
    expect(await operator.row("all-3.txt").count()).to.equal(1);
    await dialog.getByRole("button", { name: /^Retry \d+ events$/ }).click();

    await operator.page.getByText(/\d+ events retried/).waitFor();
    await operator.page.getByText("No event fits the filter.").waitFor();
    for (const { event_id } of events) {
      await until(async () => (await statusOf(event_id)) === "notified");
    }
    expect(await statusOf(old.event_id)).to.equal("failed");
    operator.expectNoFaults();
    await operator.page.context().close();
  });

  it("creates a link, copies it, shows its files, and revokes it for both operators", async () => {
    const first = await openConsole(world, "#/links");
    const second = await openConsole(world, "#/links");
    const { page } = first;
    const note = "Party <b>photos</b>";
    await page.getByText("There is no link yet.").waitFor();
    await page.getByLabel("Largest file, in MB").fill("1");
    await page.getByLabel("Metadata of each file").fill("Customer: 4711");
    await first.button("Create the link").click();
    await page.getByText("400 invalid_metadata").waitFor();
    await page.getByLabel("Note").fill(note);
    await page.getByLabel("Metadata of each file").fill("customer: 4711");
    await first.button("Create the link").click();
    const card = page.getByRole("article", { name: note });
    await card.getByText("customer: 4711").waitFor();
    expect(await page.getByLabel("Expires in").inputValue()).to.equal(String(7 * 24 * 60 * 60));
    await first.expectAccessible();

    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await card.getByRole("button", { name: "Copy" }).click();
    await card.getByRole("status").getByText("Copied").waitFor();
    const url = await page.evaluate<string>("navigator.clipboard.readText()");
    const stranger = await world.open(url);
    await stranger.page
      .locator("input[type=file]")
      .first()
      .setInputFiles({
        name: "by link.txt",
        mimeType: "text/plain",
        buffer: Buffer.from("from a stranger"),
      });
    await card.getByText("1 stored").waitFor();
    await card.getByRole("link", { name: "Files" }).click();
    await openEvent(first, "by link.txt");
    await page.getByText("4711").first().waitFor();
    await page.locator("dd").getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: "Link" }).waitFor();

    await first.button("Revoke…").click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText(`Revoked: ${note}`).waitFor();
    await second.page
      .getByRole("article", { name: note })
      .getByText("revoked", { exact: true })
      .waitFor();
    await second.expectAccessible();
    for (const tab of [first, second, stranger]) {
      tab.expectNoFaults();
      await tab.page.context().close();
    }
  });

  it("uploads a file of several parts, which is paused and resumed, and leads to its event", async () => {
    const operator = await openConsole(world, "#/upload");
    const { page } = operator;
    const file = path.join(world.folder, "large.bin");
    await writeFile(file, Buffer.alloc(12_000_000, "part"));
    await operator.expectAccessible();
    let release: () => void = () => undefined;
    const second = new Promise<void>((resolve) => (release = resolve));
    world.proxy.reset();
    world.proxy.onRequest = async ({ method, url }) => {
      if (method === "PUT" && url.searchParams.get("partNumber") === "2") {
        await second;
      }
    };

    await page.locator("input[type=file]").setInputFiles(file);
    await operator.button("Pause large.bin").click();
    await page.getByText(/Paused: \d/).waitFor();
    await operator.expectAccessible();
    release();
    await operator.button("Resume large.bin").click();

    await page.getByText("Stored, 12 MB").waitFor();
    await page.getByRole("link", { name: "Event of large.bin" }).click();
    await page.getByRole("heading", { level: 1, name: "large.bin" }).waitFor();
    await page.getByText("by notify").waitFor();
    const sent = world.proxy.done.filter(({ method }) => method === "PUT");
    expect(new Set(sent.map(({ url }) => url.searchParams.get("partNumber"))).size).to.equal(3);
    operator.expectNoFaults();
    await page.context().close();
  });

  it("filters 5,000 events by name as fast as one types, and keeps few rows in the page", async () => {
    const events = Array.from({ length: 5000 }, (_, index) =>
      finishedEvent(`mass-${index}-${index % 7 === 0 ? "needle" : "hay"}.txt`, 100_000 + index),
    );
    await putEvents(world, events);
    const from = new Date(Date.now() - 120_000_000).toISOString();
    const to = new Date(Date.now() - 90_000_000).toISOString();
    const query = new URLSearchParams({ status: "notified", from, to }).toString();
    const operator = await openConsole(world, `#/events?${query}`);
    const { page } = operator;
    // The end comes near as the list is scrolled: more is loaded by itself.
    await until(async () => {
      await page.evaluate("scrollTo(0, document.body.scrollHeight)");
      return (await page.getByRole("status").filter({ hasText: "5,000 events" }).count()) === 1;
    });
    expect(await operator.rows.count()).to.be.lessThan(100);
    await operator.row("mass-4999-hay.txt").waitFor();
    await page.evaluate("scrollTo(0, 0)");

    /** Milliseconds from the input to the next picture with its rows. */
    const filterTime = (text: string) =>
      page.evaluate<number>(`new Promise((resolve) => {
        const input = document.querySelector("input[type=search]");
        input.value = ${JSON.stringify(text)};
        const start = performance.now();
        input.dispatchEvent(new InputEvent("input", { bubbles: true }));
        const wait = () => document.querySelector("p.count").textContent.startsWith(
          ${JSON.stringify(text === "" ? "5,000 " : "715 ")})
            ? requestAnimationFrame(() => resolve(performance.now() - start))
            : requestAnimationFrame(wait);
        wait();
      })`);
    const times = [];
    for (let round = 0; round < 5; round += 1) {
      times.push(await filterTime("NEEDLE"), await filterTime(""));
    }
    console.log(`      a filter of 5,000 events: ${times.map(Math.round).join(", ")} ms`);
    await filterTime("needle");
    await page.getByText("715 of 5,000 events").waitFor();
    await operator.expectAccessible();
    operator.expectNoFaults();
    await page.context().close();
  });

  it("comes back from an event to the place in the list that was left, which new events do not move", async () => {
    const age = 20_000_000;
    const events = Array.from({ length: 100 }, (_, index) =>
      finishedEvent(`list-${index}.txt`, age + index * 10),
    );
    await putEvents(world, events);
    const from = new Date(Date.now() - (age + 10_000) * 1000).toISOString();
    const to = new Date(Date.now() - (age - 10_000) * 1000).toISOString();
    const operator = await openConsole(
      world,
      `#/events?${new URLSearchParams({ from, to }).toString()}`,
    );
    const { page } = operator;
    await operator.row("list-0.txt").waitFor();
    await page.evaluate("scrollTo(0, 2000)");
    const row = operator.row("list-50.txt");
    const placeBefore = await row.evaluate(topOf);
    await openEvent(operator, "list-50.txt");
    expect(await page.evaluate("scrollY")).to.equal(0);

    await page.goBack();

    await row.waitFor();
    expect(await row.evaluate(topOf)).to.be.closeTo(placeBefore, 1);
    await putEvents(world, [finishedEvent("above.txt", age - 100)]);
    await until(async () => (await row.getAttribute("aria-rowindex")) === "53");
    expect(await row.evaluate(topOf)).to.be.closeTo(placeBefore, 1);
    operator.expectNoFaults();
    await page.context().close();
  });

  it("fits a phone, and is readable in the dark", async () => {
    for (const options of [
      { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
      { colorScheme: "dark" as const },
    ]) {
      const operator = await openConsole(world, "#/events", options);
      const { page } = operator;
      await operator.rows.nth(1).waitFor();
      const event = (await world.manage("GET", "/events?limit=1&status=failed")) as {
        events: { event_id: string }[];
      };
      const pages = [
        "#/events",
        `#/events/${event.events[0]?.event_id ?? ""}`,
        "#/links",
        "#/upload",
      ];
      for (const fragment of pages) {
        await operator.go(fragment);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.getByText("Loading…").waitFor({ state: "detached" });
        await operator.expectAccessible();
        expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).to.equal(
          0,
        );
      }
      operator.expectNoFaults();
      await page.context().close();
    }
  });
});
