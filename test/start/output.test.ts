import { expect } from "chai";
import { textOutput } from "../../start/output";
import { someEvent } from "../cli/fakeManager";

describe("what a run prints for people", () => {
  it("has no control character from outside in it, which could move the cursor", () => {
    const lines: string[] = [];
    const output = textOutput((line) => lines.push(line));
    const event = someEvent("one", { event_info: { Bucket: "b", Key: "a\u001b[2Jb\u0007.txt" } });
    const mail = { id: "1", file: "1.eml", to: "me@example.com", subject: "a\u001b[2Jb" };

    output.event({ type: "status", event });
    output.event({ type: "mail", mail: { ...mail, time: new Date() } });

    expect(lines[0]).to.match(/a�\[2Jb�\.txt$/);
    expect(lines[1]).to.match(/: a�\[2Jb$/);
  });
});
