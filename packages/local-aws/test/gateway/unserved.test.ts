import { expect } from "chai";
import { unserved } from "../../gateway/unserved";
import { refused, target } from "./grants";

describe("a service that is not served", () => {
  it("refuses its calls, by name", () => {
    const kms = unserved("kms");
    const request = target("TrentService.Decrypt", {});

    expect(kms.read(request).operation).to.equal("kms:Decrypt");
    expect(refused(kms, request)).to.match(/^501 NotImplemented: kms /);
  });
});
