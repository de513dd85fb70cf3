import { expect } from "chai";
import { harmOfChange } from "../../components/statusShards";

const indexes = (hashKey: string) => ({
  globalSecondaryIndexes: [{ name: "time-index", hashKey }],
});
const unsharded = indexes("event_status");
const deployedBy10 = indexes("status_shard");
const sharded = (shards: number) => ({ ...deployedBy10, tags: { statusShards: String(shards) } });

/** The table with one more index, in whatever place the engine has it. */
const withLinks = (table: ReturnType<typeof indexes>) => ({
  ...table,
  globalSecondaryIndexes: [
    { name: "link-index", hashKey: "link_id" },
    ...table.globalSecondaryIndexes,
  ],
});

describe("A change of statusShards on a deployed table", () => {
  it("is harmless where the number stays or grows, from 2 on", () => {
    const harmless = [
      [unsharded, unsharded],
      [sharded(4), sharded(4)],
      [sharded(2), sharded(64)],
      // Version 1.0 left no tag: its number is not known.
      [deployedBy10, sharded(4)],
      // A stack from before there were links.
      [unsharded, withLinks(unsharded)],
      [sharded(4), withLinks(sharded(4))],
    ];
    for (const [before = {}, after = {}] of harmless) {
      expect(harmOfChange(before, after)).to.equal(undefined);
    }
  });

  it("is refused from and to 1: the index would be built anew, without the present rows", () => {
    expect(harmOfChange(unsharded, sharded(8))).to.match(/from 1 to 8: DynamoDB would delete/);
    expect(harmOfChange(sharded(8), unsharded)).to.match(/from 8 to 1: DynamoDB would delete/);
    expect(harmOfChange(deployedBy10, unsharded)).to.match(/from several to 1/);
    expect(harmOfChange(withLinks(unsharded), withLinks(sharded(8)))).to.match(/from 1 to 8/);
  });

  it("is refused to a smaller number: rows of the removed shards would be missing", () => {
    expect(harmOfChange(sharded(8), sharded(7))).to.match(/from 8 to 7: lists would lack/);
  });
});
