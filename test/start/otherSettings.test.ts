import { expect } from "chai";
import { OTHER_SETTINGS } from "../../testing/recordingMocks";
import { type Program, startProgram } from "../../testing/startProgram";

describe("npm start with every setting unlike its default", () => {
  let program: Program;

  after(() => program.stop());

  it("starts: the local cloud serves all that the program registers", async () => {
    program = await startProgram(OTHER_SETTINGS);

    expect(program.run.outputs).to.include.keys("bucketName", "tableName");
    expect(program.events.filter(({ type }) => type === "error")).to.deep.equal([]);
  });
});
