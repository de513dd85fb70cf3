import { expect } from "chai";
import fc from "fast-check";
import type { FileEvent } from "../../../events/event";
import { processedNotices } from "../../../handlers/notify/processedNotice";
import { processedEvent } from "../../../testing/events";
import { anyText, eventInfos, eventResults } from "../../events/arbitraries";

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const MAX_SNS_BYTES = 262_144;

function singleNotice(changes: Partial<FileEvent> = {}) {
  const notices = processedNotices([processedEvent(changes)]);
  const [notice] = notices;
  if (!notice || notices.length > 1) {
    throw new Error(`One event made ${notices.length} notices.`);
  }
  return notice;
}

function named(index: number, info: Partial<FileEvent["event_info"]> = {}): FileEvent {
  const event_id = `019a0000-abcd-7abc-8abc-${String(index).padStart(12, "0")}`;
  const event_info = { Bucket: "files", Key: `k/${index}`, FileName: `file-${index}.txt`, ...info };
  return processedEvent({ event_id, event_info });
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe("the notice of one file", () => {
  it("has all facts about the file", () => {
    const { subject, message } = singleNotice({
      event_result: {
        size: 78_012,
        type: "image/png",
        declared_type: "image/jpeg",
        width: 1200,
        height: 800,
        checksum: "abc123",
        checksum_algorithm: "SHA256",
      },
    });

    expect(subject).to.equal('File processed: "cat.jpg"');
    expect(message.split("\n")).to.deep.equal([
      "A file was stored and processed.",
      "",
      "File:        cat.jpg",
      "Type:        image/png (the uploader said image/jpeg)",
      "Size:        78.0 kB (78012 bytes)",
      "Dimensions:  1200 x 800 pixels",
      "SHA256:      abc123",
      "Location:    s3://files/photos/cat.jpg",
      "Event:       019a0000-abcd-7abc-8abc-abcdefabcdef",
      "Received:    2026-11-21T20:00:00.000Z",
      "Processed:   2026-11-21T20:00:01.000Z",
      "",
    ]);
  });

  it("has what the uploader said of the file, and its link, a line for each", () => {
    const { event_info } = processedEvent();
    const { subject, message } = singleNotice({
      event_info: { ...event_info, Metadata: { customer: "Müller", event: "\u202efake" } },
      link_id: "019a0000-abcd-7abc-8abc-abcdefabcdef",
    });

    expect(subject).to.equal('File processed: "cat.jpg"');
    expect(message).to.include(
      [
        "",
        "Metadata:    customer = Müller",
        "Metadata:    event = fake",
        "Link:        019a0000-abcd-7abc-8abc-abcdefabcdef",
        "Location:    s3://files/photos/cat.jpg",
        "",
      ].join("\n"),
    );
  });

  it("omits unknown facts", () => {
    const { message } = singleNotice({ event_result: { size: 5, type: "text/plain" } });
    expect(message).to.contain("Size:        5 bytes\n");
    expect(message).to.not.match(/Dimensions|Checksum|Metadata|Link|undefined|null|NaN/);
  });

  it("uses the end of the key for a file without a name", () => {
    const event_info = { Bucket: "b", Key: "a/folder/" };
    expect(singleNotice({ event_info }).subject).to.equal('File processed: "folder"');
  });

  it("has a valid SNS subject for any file name", () => {
    fc.assert(
      fc.property(anyText, (FileName) => {
        const event_info = { Bucket: "b", Key: "k", FileName };
        const { subject } = singleNotice({ event_info });
        expect(subject).to.match(/^File processed: "[\x20-\x7e]*"(\.\.\.)?$/);
        expect(subject.length).to.be.at.most(99);
      }),
    );
  });

  it("keeps the ASCII letters of a name in the subject, and replaces others", () => {
    const event_info = { Bucket: "b", Key: "k", FileName: "Crème brûlée ﬁn 写.jpg" };
    expect(singleNotice({ event_info }).subject).to.equal(
      'File processed: "Creme brulee fin ?.jpg"',
    );
  });

  it("quotes the name in the subject, so that each name is told from any text around it", () => {
    const names = [
      'a.txt", and "b.txt',
      '"',
      'a\\", "b',
      'a", "b',
      "\uff02a.txt\uff02",
      "File failed: b.txt",
      `${"n".repeat(100)}"`,
      "\\".repeat(100),
      `${'"'.repeat(100)}...`,
    ];
    const subjects = names.map((FileName) => {
      const { subject } = singleNotice({ event_info: { Bucket: "b", Key: "k", FileName } });
      const [, text = "", dots = ""] = /^File processed: (".*")(\.{3})?$/.exec(subject) ?? [];
      const name = JSON.parse(text) as string;
      const shown = FileName.normalize("NFKD");
      expect(dots === "" ? name === shown : shown.startsWith(name), subject).to.equal(true);
      return subject;
    });
    expect(new Set(subjects).size).to.equal(names.length);
  });

  it("shortens a long name in the subject only, with an ellipsis", () => {
    const FileName = `${"n".repeat(200)}.jpg`;
    const { subject, message } = singleNotice({ event_info: { Bucket: "b", Key: "k", FileName } });
    expect(subject)
      .to.have.lengthOf(99)
      .and.match(/n"\.\.\.$/);
    expect(message).to.contain(FileName);
  });

  it("has one line for each fact, so that no key or name can forge one", () => {
    const event = processedEvent();
    const found = {
      size: 1,
      type: "a",
      width: 1,
      height: 1,
      checksum_algorithm: "a",
      checksum: "a",
    };
    const lines = singleNotice({ event_result: found }).message.split("\n").length;
    for (const lineBreak of ["\n", "\r", "\r\n", "\u2028", "\u2029", "\u0085", "\v"]) {
      const forged = `cat.jpg${lineBreak}Event:       forged`;
      const { message } = singleNotice({
        event_info: { ...event.event_info, Key: forged, FileName: forged },
        event_result: {
          ...found,
          type: forged,
          declared_type: forged,
          checksum_algorithm: forged,
          checksum: forged,
        },
        updated_at: forged,
      });
      expect(message.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)).to.have.lengthOf(lines);
    }
  });

  const sizes: [bytes: number, text: string][] = [
    [0, "0 bytes"],
    [999, "999 bytes"],
    [1000, "1.0 kB (1000 bytes)"],
    [999_949, "999.9 kB (999949 bytes)"],
    [999_950, "1.0 MB (999950 bytes)"],
    [4_500_000, "4.5 MB (4500000 bytes)"],
    [5_497_558_138_880, "5.5 TB (5497558138880 bytes)"],
    [50_000_000_000_000_000, "50000.0 TB (50000000000000000 bytes)"],
  ];
  for (const [size, text] of sizes) {
    it(`writes the size ${size} as ${text}`, () => {
      const { message } = singleNotice({ event_result: { size, type: "x/y" } });
      expect(message).to.contain(`Size:        ${text}\n`);
    });
  }
});

describe("the notices of several files", () => {
  it("are one digest that lists each file once", () => {
    const events = Array.from({ length: 40 }, (_, index) => named(index));

    const [digest, ...more] = processedNotices(events);

    expect(more).to.deep.equal([]);
    expect(digest?.subject).to.equal("40 files processed");
    expect(digest?.events).to.deep.equal(events);
    for (const { event_id, event_info } of events) {
      expect(count(digest?.message ?? "", event_id)).to.equal(1);
      expect(count(digest?.message ?? "", `\n${event_info.FileName ?? ""}\n`)).to.equal(1);
    }
  });

  it("have each file's type, size, location and times", () => {
    expect(processedNotices([named(1), named(2)])[0]?.message.split("\n")).to.deep.equal([
      "2 files were stored and processed.",
      "",
      ...[1, 2].flatMap((index) => [
        `file-${index}.txt`,
        "  image/jpeg, 78.0 kB (78012 bytes), 1200 x 800 pixels",
        `  s3://files/k/${index}`,
        `  event 019a0000-abcd-7abc-8abc-00000000000${index}, ` +
          "received 2026-11-21T20:00:00.000Z, processed 2026-11-21T20:00:01.000Z",
        "",
      ]),
    ]);
  });

  it("have what the uploader said of each file, and its link", () => {
    const one = named(1, { Metadata: { customer: "Müller", "order-no": "4711\u2028x" } });
    const events = [{ ...one, link_id: "a-link" }, named(2)];

    const lines = processedNotices(events)[0]?.message.split("\n").slice(2, 9);

    expect(lines).to.deep.equal([
      "file-1.txt",
      "  image/jpeg, 78.0 kB (78012 bytes), 1200 x 800 pixels",
      "  metadata customer = Müller",
      "  metadata order-no = 4711\ufffdx",
      "  link a-link",
      "  s3://files/k/1",
      "  event 019a0000-abcd-7abc-8abc-000000000001, " +
        "received 2026-11-21T20:00:00.000Z, processed 2026-11-21T20:00:01.000Z",
    ]);
  });

  it("fit SNS for 1,000 files with the longest keys and metadata, each listed once", () => {
    const Key = "😀".repeat(256);
    const Metadata = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`${"n".repeat(31)}${index}`, "m".repeat(200)]),
    );
    const info = { Key, FileName: Key, Metadata };
    const events = Array.from({ length: 1000 }, (_, index) => named(index, info));

    const notices = processedNotices(events);

    expect(notices.length).to.be.within(2, 20);
    expect(notices.flatMap((notice) => notice.events)).to.deep.equal(events);
    for (const { subject, message, events: listed } of notices) {
      expect(Buffer.byteLength(message)).to.be.at.most(MAX_SNS_BYTES);
      expect(subject).to.equal(`${listed.length} files processed`);
      expect(count(message, "  event ")).to.equal(listed.length);
      expect(listed.every(({ event_id }) => message.includes(event_id))).to.equal(true);
    }
  });

  it("list any events, each once and in order, in valid SNS messages", () => {
    const events = fc.array(
      fc
        .tuple(eventInfos, eventResults)
        .map(([event_info, event_result]) => processedEvent({ event_info, event_result })),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(events, (given) => {
        const notices = processedNotices(given);
        expect(notices.flatMap((notice) => notice.events)).to.deep.equal(given);
        expect(notices).to.have.lengthOf(given.length > 0 ? 1 : 0);
        expect(notices.every(({ message }) => message.isWellFormed())).to.equal(true);
      }),
    );
  });

  it("have one line for each fact, so that no key or name can forge one", () => {
    const forged = "cat.jpg\n  event forged";
    const honest = processedNotices([named(1), named(2)])[0]?.message.split("\n");
    const event_result = { size: 1, type: forged, declared_type: forged };
    const [notice] = processedNotices([
      { ...named(1, { Key: forged, FileName: forged }), event_result, updated_at: forged },
      named(2),
    ]);
    expect(notice?.message.split("\n")).to.have.lengthOf(honest?.length ?? 0);
  });

  it("are none without files", () => {
    expect(processedNotices([])).to.deep.equal([]);
  });
});
