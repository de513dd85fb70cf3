import { expect } from "chai";
import fc from "fast-check";
import {
  MAX_OBJECT_BYTES,
  MAX_PART_BYTES,
  MAX_PARTS,
  MIN_PART_BYTES,
  partCountOf,
  partLengthOf,
  partSizeOf,
} from "../../../runtime/multipart/parts";

describe("the parts of a file", () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 4 * MIN_PART_BYTES }),
    fc.integer({ min: 1, max: MAX_OBJECT_BYTES }),
    fc.constantFrom(1, MIN_PART_BYTES, MIN_PART_BYTES + 1, MAX_OBJECT_BYTES),
    fc.integer({ min: MIN_PART_BYTES * MAX_PARTS - 2, max: MIN_PART_BYTES * MAX_PARTS + 2 }),
  );

  it("are what S3 takes, and together as long as the file", () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const [count, partSize] = [partCountOf(size), partSizeOf(size)];
        const last = partLengthOf(size, count) ?? 0;
        expect(count).to.be.within(1, MAX_PARTS);
        expect(partSize).to.be.within(MIN_PART_BYTES, MAX_PART_BYTES);
        expect(last).to.be.within(1, partSize);
        expect((count - 1) * partSize + last).to.equal(size);
        expect(partLengthOf(size, 1)).to.equal(count > 1 ? partSize : size);
        expect([partLengthOf(size, 0), partLengthOf(size, count + 1)]).to.deep.equal([
          undefined,
          undefined,
        ]);
      }),
    );
  });
});
