import { expect } from "chai";
import { textOutput } from "../../start/output";
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
