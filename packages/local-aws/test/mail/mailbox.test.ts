import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect } from "chai";
import PostalMime from "postal-mime";
import { createMailbox, type Letter, type Mail } from "../../mail/mailbox";

const letter: Letter = {
  address: "me@example.com",
  subject: "File a.txt is done",
  message: "All is well.",
  messageId: "0b7c9b2e-8f4d-5c3a-9d1e-2f3a4b5c6d7e",
  topicArn: "arn:aws:sns:us-east-1:000000000000:done",
  timestamp: new Date("2026-11-05T10:11:12.345Z"),
  unsubscribeUrl: "http://127.0.0.1:4510/_sns/unsubscribe?SubscriptionArn=arn:1",
};

describe("mailbox", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "mailbox-"))));
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  it("writes a file that mail programs read, and reports it", async () => {
    const reported: Mail[] = [];
    const mailbox = createMailbox({
      dir: join(dir, "new/folder"),
      onMail: (mail) => {
        reported.push(mail);
        expect(readFileSync(mail.file, "utf8")).to.include("All is well.");
      },
    });
    const mail = await mailbox.deliver(letter);
    expect(reported).to.deep.equal([mail]);
    const parsed = await PostalMime.parse(readFileSync(mail.file));
    expect(parsed.from).to.deep.include({
      name: "AWS Notifications",
      address: "no-reply@sns.amazonaws.com",
    });
    expect(parsed.to?.map(({ address }) => address)).to.deep.equal(["me@example.com"]);
    expect(parsed.subject).to.equal("File a.txt is done");
    expect(parsed.date).to.equal("2026-11-05T10:11:12.000Z");
    expect(parsed.messageId).to.match(/^<0b7c9b2e-.*@sns\.amazonaws\.com>$/);
    const headers = Object.fromEntries(parsed.headers.map(({ key, value }) => [key, value]));
    expect(headers["x-amz-sns-message-id"]).to.equal(letter.messageId);
    expect(headers["x-amz-sns-topic-arn"]).to.equal(letter.topicArn);
    expect(parsed.text).to.match(/^All is well\.\n\n--\nIf you wish to stop .*\nhttp.*arn:1\n$/);
  });

  const bodies = [
    "héllo wörld 写真 😀  \ntrailing spaces   \n\n.leading dot\nFrom me\n=3D\ttab",
    `one long line: ${"word  ".repeat(400)}`,
    JSON.stringify({ key: "ünï".repeat(100), nested: { a: [1, 2, 3] } }, null, 2),
  ];
  for (const message of bodies) {
    it(`keeps every character of ${JSON.stringify(message.slice(0, 30))}…`, async () => {
      const { file } = await createMailbox({ dir }).deliver({ ...letter, message });
      const { text } = await PostalMime.parse(readFileSync(file));
      expect(text?.split("\n\n--\n")[0]).to.equal(message);
    });
  }

  it("keeps a subject of 100 characters, and has one where SNS was given none", async () => {
    const mailbox = createMailbox({ dir });
    const subject = `${"long  words ".repeat(8)}1234`;
    await mailbox.deliver({ ...letter, subject });
    const { subject: none } = await mailbox.deliver({
      ...letter,
      address: "b@example.com",
      subject: undefined,
    });
    const subjects = (await createMailbox({ dir }).list()).map((mail) => mail.subject);
    expect(subjects).to.have.members([subject, "AWS Notification Message"]);
    expect(none).to.equal("AWS Notification Message");
  });

  it("lists newest first, with the mails of earlier runs", async () => {
    const first = createMailbox({ dir });
    const at = (ms: number) => ({
      ...letter,
      messageId: `id-${ms}`,
      timestamp: new Date(letter.timestamp.getTime() + ms),
    });
    for (const ms of [5, 1000, 0]) {
      await first.deliver(at(ms));
    }
    const second = createMailbox({ dir });
    await second.deliver(at(2000));
    const mails = await second.list();
    const ages = mails.map((mail) => mail.time.getTime() - letter.timestamp.getTime());
    expect(ages).to.deep.equal([2000, 1000, 5, 0]);
    expect(mails.slice(1)).to.deep.equal(await first.list().then((all) => all.slice(1)));
  });

  it("keeps apart one message to many addresses, under names that sort by time", async () => {
    const mailbox = createMailbox({ dir });
    const addresses = Array.from({ length: 20 }, (_, n) => `${n}@example.com`);
    await Promise.all(addresses.map((address) => mailbox.deliver({ ...letter, address })));
    const listed = (await mailbox.list()).map((mail) => mail.to);
    expect(listed).to.have.members(addresses);
    expect(readdirSync(dir).every((name) => name.startsWith("2026-11-05T10-11-12.345Z"))).to.equal(
      true,
    );
  });

  it("shows no unfinished and no foreign files", async () => {
    writeFileSync(join(dir, ".2026-11-05T10-11-12.345Z-x.tmp"), "half");
    writeFileSync(join(dir, "notes.eml"), "mine");
    expect(await createMailbox({ dir }).list()).to.deep.equal([]);
  });

  it("reads a mail, and nothing outside its folder", async () => {
    const mailbox = createMailbox({ dir });
    const { id, file } = await mailbox.deliver(letter);
    const mail = await mailbox.read(id);
    expect(mail?.text).to.include("All is well.");
    expect(mail?.raw.equals(readFileSync(file))).to.equal(true);
    writeFileSync(join(dir, "../outside.eml"), "secret");
    const outside = [`../outside`, `${id}/../../outside`, `../${basename(dir)}/${id}`, "", "\0"];
    for (const other of [...outside, `${id}x`]) {
      expect(await mailbox.read(other), other).to.equal(undefined);
    }
    rmSync(join(dir, "../outside.eml"));
  });
});
