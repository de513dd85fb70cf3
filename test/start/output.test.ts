import { expect } from "chai";
import { jsonOutput, textOutput } from "../../start/output";
import { processedEvent } from "../../testing/events";

describe("the text output of a run", () => {
  it("replaces control characters of files and mails, which could move the cursor", () => {
    const lines: string[] = [];
    const output = textOutput((line) => lines.push(line));
    const event = processedEvent({ event_info: { Bucket: "b", Key: "a\u001b[2Jb\u0007.txt" } });
    const mail = { id: "1", file: "1.eml", to: "me@example.com", subject: "a\u001b[2Jb" };

    output.event({ type: "status", event });
    output.event({ type: "mail", mail: { ...mail, time: new Date() } });

    expect(lines[0]).to.match(/a�\[2Jb�\.txt$/);
    expect(lines[1]).to.match(/: a�\[2Jb$/);
  });
});

describe("the JSON output of a run", () => {
  it("has a log line that is JSON as an entry, and any other as text", () => {
    const lines: string[] = [];
    const output = jsonOutput((line) => lines.push(line));
    const logged = ['{"level":"INFO","message":"a"}', "0", "null", 'plain "text"', "{torn"];

    for (const line of logged) {
      output.event({ type: "log", functionName: "f", line });
    }

    const entries = lines.map((line) => (JSON.parse(line) as { entry: unknown }).entry);
    expect(entries).to.deep.equal([
      { level: "INFO", message: "a" },
      0,
      "null",
      'plain "text"',
      "{torn",
    ]);
  });
});
