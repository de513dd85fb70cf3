import { S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { expect } from "chai";
import { completeUpload } from "../../../handlers/links/completeUpload";
import type { LinksContext } from "../../../handlers/links/request";
import type { HttpError } from "../../../runtime/http";
import { type Claim } from "../../../store/links/claim";
import { takeClaim } from "../../../store/links/places";
import { findClaim } from "../../../store/links/read";
import { openTestLinks, type TestLinks } from "../../store/links/claimedLinks";
import { claimOf } from "../../store/links/rows";

const PART = { PartNumber: 1, ETag: "900150983cd24fb0d6963f7d28e17f72" };

describe("A completion that S3 does not answer in time", () => {
  let links: TestLinks;

  before(async () => {
    links = await openTestLinks();
  });

  after(() => links.close());

  /** Completes the claim's upload at an S3 whose answers are these, in turn. */
  function complete(claim: Claim, answers: (() => Promise<object>)[]) {
    const send = () => answers.shift()?.() ?? Promise.reject(new Error("asked too often"));
    const context = {
      s3: new S3Client({
        region: "us-east-1",
        credentials: { accessKeyId: "id", secretAccessKey: "secret" },
      }),
      s3Once: () => ({ send }),
      store: links.store,
      bucketName: "files",
    } as unknown as LinksContext;
    const event = {
      multiValueQueryStringParameters: { key: [claim.object_key] },
      body: JSON.stringify({ parts: [PART] }),
      isBase64Encoded: false,
    } as unknown as APIGatewayProxyEvent;
    const path = { event_id: "", part_number: "", upload_id: claim.upload_id };
    return completeUpload(context, { event, linkId: claim.link_id, path });
  }

  const late = () => Promise.reject(Object.assign(new Error("late"), { name: "TimeoutError" }));

  it("is asked for again with 503, and is done then, however S3 has gone on", async () => {
    const { link_id } = await links.newLink();
    const claim = claimOf(link_id, { size: 3, part_size: 5 });
    await takeClaim(links.store, claim);

    const refusal = await complete(claim, [late, late, late]).then(
      () => undefined,
      (error: unknown) => error as HttpError,
    );

    expect(refusal).to.include({ statusCode: 503, code: "completing" });
    expect(refusal?.headers).to.deep.equal({ "Retry-After": "2" });
    const { event_id } = claim;
    expect((await findClaim(links.store, link_id, event_id))?.state).to.equal("completing");
    const gone = () => Promise.reject(Object.assign(new Error("gone"), { name: "NoSuchUpload" }));
    const answer = await complete(claim, [gone]);
    expect(answer.statusCode).to.equal(200);
    expect(JSON.parse(answer.body)).to.include({ event_id, key: claim.object_key });
  });
});
