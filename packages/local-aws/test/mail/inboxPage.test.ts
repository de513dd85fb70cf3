import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { inboxPage } from "../../mail/inboxPage";
import { createMailbox, type Mailbox } from "../../mail/mailbox";

const EVIL = `<script>alert("1")</script>&amp;'`;

describe("inbox page", () => {
  let dir: string;
  let mailbox: Mailbox;
  let request: (url: string, method?: string) => Promise<{ status: number; text: string } & Answer>;
  interface Answer {
    headers: Record<string, string>;
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "inbox-"));
    mailbox = createMailbox({ dir });
    const page = inboxPage(mailbox, "/inbox");
    request = async (url, method = "GET") => {
      const answer = await page({ method, url, headers: {}, body: Buffer.alloc(0) });
      return { ...answer, text: answer.body.toString() };
    };
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  const deliver = (seconds: number, subject = "Done", message = "All is well.") =>
    mailbox.deliver({
      address: "me@example.com",
      subject,
      message,
      messageId: `m${seconds}`,
      topicArn: "arn:aws:sns:us-east-1:000000000000:done",
      timestamp: new Date(Date.UTC(2026, 10, 5, 10, 0, seconds)),
    });

  it("has a text when there are no mails", async () => {
    expect((await request("/inbox")).text).to.include("No mails yet");
  });

  it("lists the mails, newest first, with their number", async () => {
    await deliver(1, "First");
    await deliver(2, "Second");
    const { status, text, headers } = await request("/inbox");
    expect(status).to.equal(200);
    expect(headers["content-type"]).to.equal("text/html; charset=utf-8");
    expect(text).to.include("2 mails").and.include("2026-11-05 10:00:02 UTC");
    expect(text.indexOf("Second")).to.be.lessThan(text.indexOf("First")).and.greaterThan(0);
    expect((await request("/inbox/")).text).to.equal(text);
  });

  it("lists them as JSON, also by a query parameter", async () => {
    const { id } = await deliver(1);
    const { headers, text } = await request("/inbox.json");
    expect(headers["content-type"]).to.equal("application/json");
    const [to, subject, time] = ["me@example.com", "Done", "2026-11-05T10:00:01.000Z"];
    expect(JSON.parse(text)).to.deep.equal({
      count: 1,
      mails: [{ id, time, to, subject, href: `/inbox/${id}` }],
    });
    expect((await request("/inbox?format=json")).text).to.equal(text);
  });

  it("shows the newest 200, and counts all", async () => {
    for (let n = 0; n < 203; n++) {
      await deliver(n);
    }
    const { count, mails } = JSON.parse((await request("/inbox.json")).text) as {
      count: number;
      mails: { id: string }[];
    };
    expect([count, mails.length]).to.deep.equal([203, 200]);
    expect(mails[0]?.id).to.include("m202");
    expect((await request("/inbox")).text.split("<li>")).to.have.length(201);
  });

  it("shows a mail, and never runs its content", async () => {
    const { id } = await deliver(1, EVIL, `${EVIL}\n写真`);
    for (const url of ["/inbox", `/inbox/${id}`]) {
      const { text } = await request(url);
      expect(text).to.include("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;'");
      expect(text).not.to.include("<script>alert");
    }
    expect((await request(`/inbox/${id}`)).text).to.include("\n写真");
  });

  it("allows no script, style or connection except its own", async () => {
    await deliver(1);
    const { text, headers } = await request("/inbox");
    const policy = headers["content-security-policy"] ?? "";
    expect(policy).to.include("default-src 'none'").and.include("frame-ancestors 'none'");
    expect(policy).not.to.include("unsafe");
    for (const tag of ["script", "style"]) {
      const content = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(text)?.[1] ?? "";
      const hash = createHash("sha256").update(content).digest("base64");
      expect(policy).to.include(`${tag}-src 'sha256-${hash}'`);
    }
    expect(text).not.to.match(/https?:\/\//);
    expect(headers["x-content-type-options"]).to.equal("nosniff");
  });

  it("answers with the file of a mail", async () => {
    const { id } = await deliver(1);
    const { headers, text } = await request(`/inbox/${id}.eml`);
    expect(headers["content-type"]).to.equal("message/rfc822");
    expect(headers["content-disposition"]).to.equal(`attachment; filename="${id}.eml"`);
    expect(text).to.include("Subject: Done\r\n");
  });

  it("shows no other mails, and nothing outside its folder", async () => {
    const { id } = await deliver(1);
    const others = [
      "x",
      `${id}x`,
      `${id}.eml.eml`,
      "..%2f..%2fpackage",
      "%2e%2e/x",
      "../../x",
      "%",
    ];
    for (const other of [...others, `${id}/x`, `${id}.txt`]) {
      expect((await request(`/inbox/${other}`)).status, other).to.equal(404);
    }
    expect((await request("//evil.example/inbox")).status).to.equal(404);
  });

  it("only reads", async () => {
    const { status, headers } = await request("/inbox", "POST");
    expect(status).to.equal(405);
    expect(headers.allow).to.equal("GET, HEAD");
    const head = await request("/inbox", "HEAD");
    expect([head.status, head.text]).to.deep.equal([200, ""]);
  });
});
