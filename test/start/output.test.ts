import { expect } from "chai";
import { jsonOutput, textOutput } from "../../start/output";
import { processedEvent } from "../../testing/events";

const fail = (line: string) => expect.fail(line);

describe("the text output of a run", () => {
  it("has errors on standard error, and the JSON output there, too", () => {
    const lines: string[] = [];
    const errors: string[] = [];
    const event = { type: "error", message: "The disk is full." } as const;
    for (const make of [textOutput, jsonOutput]) {
      const output = make(
        (line) => lines.push(line),
        (line) => errors.push(line),
      );
      output.event(event);
    }

    expect(lines.map((line) => JSON.parse(line) as unknown)).to.deep.equal([event]);
    expect(errors.join()).to.match(/^\d\d:\d\d:\d\d {2}The disk is full\.,The disk is full\.$/);
  });

  it("replaces control characters of files and mails, which could move the cursor", () => {
    const lines: string[] = [];
    const output = textOutput((line) => lines.push(line), fail);
    const event = processedEvent({ event_info: { Bucket: "b", Key: "a\u001b[2Jb\u0007.txt" } });
    const mail = { id: "1", file: "1.eml", to: "me@example.com", subject: "a\u001b[2Jb" };

    output.event({ type: "status", event });
    output.event({ type: "mail", mail: { ...mail, time: new Date() } });

    expect(lines[0]).to.match(/a�\[2Jb�\.txt$/);
    expect(lines[1]).to.match(/: a�\[2Jb$/);
  });
});

describe("the text output of a Lambda's error", () => {
  const FRAME = "    at countLines (handlers/process/countLines.ts:7:11)";

  function shown(message: object): string[] {
    const lines: string[] = [];
    const line = JSON.stringify({ level: "ERROR", message });
    textOutput((text) => lines.push(text), fail).event({ type: "log", functionName: "f", line });
    return lines.join("\n").slice("hh:mm:ss  ".length).split("\n");
  }

  it("has the stack of the program's own log entry below it", () => {
    const error = { code: "Error", message: "a\nb", stack: `Error: a\nb\n${FRAME}\u001b` };

    expect(shown({ message: "Failed", error, event_id: "e" })).to.deep.equal([
      'f: {"message":"Failed","error":{"code":"Error","message":"a\\nb"},"event_id":"e"}',
      `${FRAME}�`,
    ]);
  });

  it("has the stack of the runtime's entry below it", () => {
    const stackTrace = ["Error: a", FRAME];

    expect(shown({ errorType: "Error", errorMessage: "a", stackTrace })).to.deep.equal([
      'f: {"errorType":"Error","errorMessage":"a"}',
      FRAME,
    ]);
  });

  it("is the entry alone where it has no stack", () => {
    expect(shown({ message: "Failed" })).to.deep.equal(['f: {"message":"Failed"}']);
  });
});

describe("the log in the text output of a run", () => {
  const LINES = [
    { line: '{"level":"INFO","message":"from console.log"}', shown: "from console.log" },
    { line: '{"level":"DEBUG","message":{"any":"object"}}', shown: '{"any":"object"}' },
    { line: "written to stdout", shown: "written to stdout" },
    { line: "42", shown: "42" },
    {
      line: '{"level":"ERROR","message":{"message":"It failed."}}',
      shown: '{"message":"It failed."}',
    },
    { line: '{"level":"INFO","message":{"message":"File stored.","event_id":"1"}}' },
    { line: '{"_aws":{},"Uploads":1}' },
  ];

  function linesOf(options?: { verbose: boolean }): string[] {
    const lines: string[] = [];
    const output = textOutput((line) => lines.push(line.slice("00:00:00  ".length)), fail, options);
    for (const { line } of LINES) {
      output.event({ type: "log", functionName: "mine", line });
    }
    return lines;
  }

  it("has what a function writes by console.log, and not what the program does all the time", () => {
    const shown = LINES.flatMap(({ shown }) => (shown === undefined ? [] : [`mine: ${shown}`]));

    expect(linesOf()).to.deep.equal(shown);
  });

  it("has every line with --verbose", () => {
    expect(linesOf({ verbose: true })).to.have.lengthOf(LINES.length);
  });
});

describe("the JSON output of a run", () => {
  it("has a log line that is JSON as an entry, and any other as text", () => {
    const lines: string[] = [];
    const output = jsonOutput((line) => lines.push(line), fail);
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
