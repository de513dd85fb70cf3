import { expect } from "chai";
import { stsApi } from "../../sts/service";
import { PLACE } from "../gateway/capture";
import { plain } from "../gateway/grants";

describe("the grants of an STS call", () => {
  it("are none for GetCallerIdentity", () => {
    const body = Buffer.from("Action=GetCallerIdentity&Version=2011-06-15");
    const request = { ...plain("POST", "/"), body };

    expect(stsApi.read(request).grants(PLACE)).to.deep.equal([]);
    expect(stsApi.read(request).operation).to.equal("sts:GetCallerIdentity");
  });
});
