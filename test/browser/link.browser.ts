import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { sealTicket, ticketSecrets } from "../../runtime/ticket";
import { PROGRAM_DIR } from "../../start/programDir";
import { eventually } from "../../testing/eventually";
import type { Sent } from "./support/proxy";
import { startWorld, type World } from "./support/world";

const MEGABYTE = 1_000_000;

const HOSTILE = "<img src=x onerror=alert(1)>.jpg";

const PICTURE = readFileSync(path.join(PROGRAM_DIR, "sample.jpg"));

const isPart = ({ method }: Sent) => method === "PUT";

const partNumberOf = ({ url }: Sent) => Number(url.searchParams.get("partNumber"));

describe("The page of an upload link", () => {
  let world: World;

  before(async () => {
    world = await startWorld({ organisation: "Example & <Sons>" });
  });

  beforeEach(() => {
    world.proxy.mend();
    world.proxy.reset();
  });

  after(() => world.stop());

  async function newLink(rules: object = {}): Promise<string> {
    const { url } = await world.manage("POST", "/links", { expires_in: 3600, ...rules });
    return String(url);
  }

  /** A file of the test's folder. @param content bytes, or how many */
  function fileNamed(name: string, content: Buffer | string | number): string {
    const file = path.join(world.folder, name);
    if (typeof content !== "number") {
      writeFileSync(file, content);
      return file;
    }
    const handle = openSync(file, "w");
    ftruncateSync(handle, content);
    closeSync(handle);
    return file;
  }

  async function choose(page: Page, ...files: string[]): Promise<void> {
    const [chooser] = await Promise.all([
      page.waitForEvent("filechooser"),
      page.getByRole("button", { name: "Choose files" }).click(),
    ]);
    await chooser.setFiles(files);
  }

  const rowOf = (page: Page, name: string): Locator =>
    page.getByRole("listitem").filter({ hasText: name });

  const textIn = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

  it("takes a picture, and says what became of it", async () => {
    const note = "Pictures of the summer, please.\n<b>All of them</b>";
    const link = await newLink({ note, max_files: 3, max_bytes: 400 * MEGABYTE });
    const { page, expectNoFaults, expectAccessible } = await world.open(link);
    await textIn(page, "<b>All of them</b>");
    await textIn(page, "Example & <Sons>");
    await textIn(page, "Each at most 400 MB");
    await expectAccessible();

    await choose(page, fileNamed("summer.jpg", PICTURE));
    await textIn(page, /Processed: image\/jpeg, 78 kB, 1200 × 800 pixels/);
    await textIn(page, "1 of 1 file uploaded");
    await textIn(page, "For 3 files, 2 left");
    await expectAccessible();
    expectNoFaults();
  });

  it("takes dropped files, in folders, too, and no file twice", async () => {
    const { page, expectNoFaults } = await world.open(await newLink());
    const drop = (names: string[]) =>
      page.evaluate(`{
        const transfer = new DataTransfer();
        for (const name of ${JSON.stringify(names)}) {
          transfer.items.add(new File([name], name, { type: "text/plain", lastModified: 1 }));
        }
        dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
      }`);
    await page.getByRole("button", { name: "Choose files" }).waitFor();
    await drop(["a.txt", "b.txt"]);
    await drop(["b.txt"]);
    await textIn(page, "2 of 2 files uploaded");
    expectNoFaults();
  });

  it("is used by the keyboard alone", async () => {
    const { page } = await world.open(await newLink());
    const button = page.getByRole("button", { name: "Choose files" });
    await button.waitFor();
    await page.keyboard.press("Tab");
    await page.locator("button:focus").getByText("Choose files").waitFor();
    const chooser = page.waitForEvent("filechooser");
    // The dialog is caught from the next answer of the browser on.
    await page.title();
    await page.keyboard.press("Enter");
    await (await chooser).setFiles(fileNamed("typed.jpg", PICTURE));
    await textIn(page, /Processed: image\/jpeg/);
    await page.getByRole("button", { name: "Hide typed.jpg" }).focus();
    await page.keyboard.press("Enter");
    await rowOf(page, "typed.jpg").waitFor({ state: "detached" });
  });

  it("goes on after a broken connection, and after a reload, with what is there", async () => {
    const link = await newLink();
    const { page, expectNoFaults } = await world.open(link);
    const { proxy } = world;
    const large = fileNamed("large.bin", 300 * MEGABYTE);
    const parts = Math.ceil((300 * MEGABYTE) / (5 * 1024 * 1024));
    const partsDone = () => proxy.done.filter(isPart).length;

    await choose(page, large);
    await eventually(() => partsDone() >= 10 || undefined);
    proxy.cut();
    await textIn(page, /The connection was lost\. Goes on by itself in \d+ s\./);
    proxy.mend();
    await eventually(() => partsDone() >= 25 || undefined);

    await page.reload();
    await textIn(page, /Unfinished from an earlier visit: large\.bin/);
    await choose(page, large);
    await textIn(page, /goes on from 1\d\d MB of an earlier visit/);
    await textIn(page, "1 of 1 file uploaded");

    const numbers = proxy.done.filter(isPart).map(partNumberOf);
    expect(new Set(numbers).size).to.equal(parts);
    // In flight were one when the connection broke, and one when the page was loaded again.
    expect(proxy.requests.filter(isPart).length).to.be.at.most(parts + 2);
    expectNoFaults();

    await page.reload();
    proxy.reset();
    await choose(page, large);
    await textIn(page, /Uploaded before, from this browser\. Processed: /);
    expect(proxy.requests.filter(isPart)).to.deep.equal([]);
  });

  it("pauses, resumes and cancels", async () => {
    const { page } = await world.open(await newLink({ max_files: 1 }));
    const { proxy } = world;
    await choose(page, fileNamed("paused.bin", 100 * MEGABYTE));
    await page.getByRole("button", { name: "Pause paused.bin" }).click();
    await textIn(page, /^Paused · /);
    const sent = proxy.requests.length;
    await page.getByRole("button", { name: "Resume paused.bin" }).click();
    await eventually(() => proxy.requests.length > sent || undefined);
    await page.getByRole("button", { name: "Cancel paused.bin" }).click();
    await eventually(() => proxy.done.some(({ method }) => method === "DELETE") || undefined);
    await page.reload();
    await textIn(page, /^For 1 file$/);
  });

  it("does not send what the link does not let in", async () => {
    const rules = { max_files: 1, max_bytes: 1000, content_types: ["text/*", "application/pdf"] };
    const { page, expectNoFaults, expectAccessible } = await world.open(await newLink(rules));
    await choose(
      page,
      fileNamed("empty.txt", ""),
      fileNamed("long.txt", "x".repeat(1001)),
      fileNamed("picture.jpg", PICTURE.subarray(0, 900)),
      fileNamed("first.txt", "one"),
      fileNamed("second.txt", "two"),
    );
    await rowOf(page, "empty.txt").getByText("The file is empty.").waitFor();
    await textIn(page, /too large: 1\.0 kB; at most 1\.0 kB/);
    await textIn(page, /type \(image\/jpeg\) are not allowed here, only texts, PDF/);
    await rowOf(page, "second.txt").getByText("takes no more files").waitFor();
    await textIn(page, "1 of 1 file uploaded");
    await textIn(page, "This link has been used");
    await expectAccessible();
    const begun = world.proxy.requests.filter(({ method }) => method === "POST");
    expect(begun.filter(({ url }) => url.pathname.endsWith("/multipart"))).to.have.length(1);
    expectNoFaults();
  });

  it("shows hostile names and texts as what they are, and runs none", async () => {
    const { page, expectNoFaults } = await world.open(await newLink({ note: HOSTILE }));
    const script = `<script>document.title = "taken"</script>`;
    await choose(page, fileNamed(HOSTILE, PICTURE), fileNamed("page.html", script));
    await textIn(page, "2 of 2 files uploaded");
    await rowOf(page, HOSTILE).getByText("Processed").waitFor();
    expect(await page.locator("img").count()).to.equal(0);
    expect(await page.title()).to.equal("Upload files");
    expectNoFaults();
  });

  describe("says so, when it", () => {
    const says = async (link: string, title: string) => {
      const { page, expectAccessible, expectNoFaults } = await world.open(link);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
      expect(await page.getByRole("button", { name: "Choose files" }).count()).to.equal(0);
      await expectAccessible();
      expectNoFaults();
    };

    it("was revoked", async () => {
      const { url, link_id } = await world.manage("POST", "/links", { expires_in: 3600 });
      await world.manage("DELETE", `/links/${String(link_id)}`);
      await says(String(url), "This link was withdrawn");
    });

    it("has expired", async () => {
      const link = await newLink({ expires_in: 1 });
      await eventually(async () => (await fetch(link)).status === 410 || undefined);
      await says(link, "This link has expired");
    });

    it("was altered", async () => {
      const secrets = ticketSecrets(Buffer.alloc(32).toString("base64"));
      const ticket = sealTicket(secrets, "01890000-0000-7000-8000-000000000000");
      await says(`${String(world.run.outputs.linkUrl)}/${ticket}`, "This link is not valid");
    });

    it("is used up", async () => {
      const link = await newLink({ max_files: 1 });
      const first = await world.open(link);
      await choose(first.page, fileNamed("only.txt", "one"));
      await textIn(first.page, "1 of 1 file uploaded");
      const second = await world.open(link);
      await textIn(second.page, "This link has been used");
      second.expectNoFaults();
    });
  });

  it("says what it needs where JavaScript is off", async () => {
    const { page } = await world.open(await newLink(), { javaScriptEnabled: false });
    await textIn(page, /This page needs JavaScript/);
  });
});
