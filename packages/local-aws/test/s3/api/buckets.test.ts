import {
  CreateBucketCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketLocationCommand,
  GetBucketRequestPaymentCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { REGION } from "../../testCloud";
import { BUCKET, type BucketScene, openBucket } from "../bucketScene";
import { failure } from "../harness";
import { send } from "./raw";

const Bucket = BUCKET;

describe("an S3 bucket", () => {
  let scene: BucketScene;
  before(async () => (scene = await openBucket([])));
  after(() => scene.close());

  const elsewhere = () =>
    new S3Client({
      endpoint: scene.test.cloud.endpoint,
      region: "us-east-1",
      credentials: scene.test.cloud.roles.operator,
      maxAttempts: 1,
    });

  it("names its region, as a location and to every HEAD, signed or not", async () => {
    const { operator, client, url } = scene;
    const location = await operator.send(new GetBucketLocationCommand({ Bucket }));
    expect(location.LocationConstraint).to.equal(REGION);
    const head = await operator.send(new HeadBucketCommand({ Bucket }));
    expect(head.BucketRegion).to.equal(REGION);

    const anonymous = await send(url, { method: "HEAD" });
    expect(anonymous.status).to.equal(403);
    expect(anonymous.headers["x-amz-bucket-region"]).to.equal(REGION);
    expect((await failure(client.send(new HeadBucketCommand({ Bucket })))).status).to.equal(403);
  });

  it("is found by those who sign for the first region, and no more than that", async () => {
    const client = elsewhere();
    const location = await client.send(new GetBucketLocationCommand({ Bucket }));
    expect(location.LocationConstraint).to.equal(REGION);
    expect((await client.send(new ListBucketsCommand({}))).Buckets).to.have.length(1);

    const put = client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "" }));
    const error: unknown = await put.catch((reason: unknown) => reason);
    expect(error).to.include({ name: "AuthorizationHeaderMalformed", Region: REGION });
    client.destroy();
  });

  it("has one owner with all rights, no versions, no CORS rules until it gets some", async () => {
    const { operator, test } = scene;
    await operator.send(new PutObjectCommand({ Bucket, Key: "a", Body: "" }));
    const acls = [
      await operator.send(new GetBucketAclCommand({ Bucket })),
      await operator.send(new GetObjectAclCommand({ Bucket, Key: "a" })),
    ];
    for (const { Grants, Owner } of acls) {
      expect(Grants?.map(({ Permission }) => Permission)).to.deep.equal(["FULL_CONTROL"]);
      expect(Grants?.[0]?.Grantee).to.include({ Type: "CanonicalUser", ID: Owner?.ID });
    }
    expect((await operator.send(new GetBucketVersioningCommand({ Bucket }))).Status).to.equal(
      undefined,
    );
    const payment = await operator.send(new GetBucketRequestPaymentCommand({ Bucket }));
    expect(payment.Payer).to.equal("BucketOwner");

    const cors = () => operator.send(new GetBucketCorsCommand({ Bucket }));
    expect((await failure(cors())).name).to.equal("NoSuchCORSConfiguration");
    const rule = { allowedOrigins: ["https://a.example"], allowedMethods: ["GET", "PUT"] };
    test.cloud.s3.setCorsRules(Bucket, [{ ...rule, maxAgeSeconds: 5 }]);
    expect((await cors()).CORSRules).to.deep.equal([
      {
        AllowedOrigins: rule.allowedOrigins,
        AllowedMethods: rule.allowedMethods,
        MaxAgeSeconds: 5,
      },
    ]);
  });

  it("is created in this region, once", async () => {
    const { operator } = scene;
    const create = (LocationConstraint?: string) =>
      operator.send(
        new CreateBucketCommand({
          Bucket: "another",
          CreateBucketConfiguration: {
            LocationConstraint: LocationConstraint as "eu-central-1",
          },
        }),
      );
    const wrong = await failure(create("eu-west-1"));
    expect(wrong.name).to.equal("IllegalLocationConstraintException");
    await create(REGION);
    expect(await failure(create())).to.include({ name: "BucketAlreadyOwnedByYou", status: 409 });
    const shared = new CreateBucketCommand({ Bucket: "shared", ACL: "public-read" });
    expect((await failure(operator.send(shared))).status).to.equal(400);
  });

  it("is listed, page by page, by its prefix and by its region", async () => {
    const { operator, test } = scene;
    test.cloud.s3.createBucket("listed-1");
    test.cloud.s3.createBucket("listed-2");
    const list = (input: object) =>
      operator.send(new ListBucketsCommand({ Prefix: "listed-", ...input }));
    const first = await list({ MaxBuckets: 1 });
    expect(first.Buckets?.map(({ Name }) => Name)).to.deep.equal(["listed-1"]);
    expect(first.Buckets?.[0]?.BucketRegion).to.equal(REGION);
    const second = await list({ MaxBuckets: 1, ContinuationToken: first.ContinuationToken });
    expect(second.Buckets?.map(({ Name }) => Name)).to.deep.equal(["listed-2"]);
    expect(second.ContinuationToken).to.equal(undefined);
    expect((await list({ BucketRegion: "eu-west-1" })).Buckets ?? []).to.deep.equal([]);
    expect((await failure(list({ MaxBuckets: 0 }))).name).to.equal("InvalidArgument");
    expect((await failure(list({ ContinuationToken: "?" }))).name).to.equal("InvalidArgument");
  });
});
