import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import * as esbuild from "esbuild";
import {
  LEAN_FILES,
  type LeanFile,
  leanPackages,
  withAnySeparator,
} from "../../../components/lambda/leanPackages";
import { bundled as bundle, load } from "./loadBundle";

/** Sends a request to a handler that records it, and returns its address. */
const S3_REQUEST = `
import { HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
export const handler = async () => {
  let sent = {};
  const handle = async (request) => {
    sent = request;
    throw new Error("not sent");
  };
  const s3 = new S3Client({ requestHandler: { handle } });
  const command = new HeadObjectCommand({ Bucket: "a-bucket", Key: "a key" });
  const error = await s3.send(command).catch((reason) => reason.message);
  const { protocol, hostname, port, path, headers = {} } = sent;
  const url = protocol && protocol + "//" + hostname + (port ? ":" + port : "") + path;
  const { authorization = "", "x-amz-security-token": token } = headers;
  const attempts = await s3.config.maxAttempts();
  return { url, error, token, attempts, scope: /Credential=([^,]+)/.exec(authorization)?.[1] };
};
`;

/** Stores and reads an object; returns what was sent and read, and the modules that Node has loaded. */
const S3_OBJECT = `
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { v7 } from "uuid";
import { Readable } from "stream";
export const handler = async () => {
  const requests = [];
  const handle = async (request) => {
    requests.push(request);
    const body = Readable.from([Buffer.from("hel"), Buffer.from("lo")]);
    return { response: { statusCode: 200, headers: { "content-length": "5" }, body } };
  };
  const s3 = new S3Client({ requestHandler: { handle } });
  const got = await s3.send(new GetObjectCommand({ Bucket: "b", Key: "k" }));
  const text = await got.Body.transformToString();
  const modules = process.moduleLoadList.map((name) => name.split(" ")[1]);
  await s3.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "hello" }));
  const [{ "amz-sdk-invocation-id": first }, { "amz-sdk-invocation-id": second, ...headers }] =
    requests.map((request) => request.headers);
  const ids = [first, second, v7(), v7()];
  return { text, modules, ids, crc32: headers["x-amz-checksum-crc32"] };
};
`;

interface Sent {
  url?: string;
  error: string;
  token?: string;
  attempts: number;
  scope?: string;
}

/** A Lambda's own. */
const VARIABLES = {
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "a-key",
  AWS_SECRET_ACCESS_KEY: "a-secret",
  AWS_SESSION_TOKEN: "a-token",
};

/** The beginning of an e-book: a ZIP file whose first entry has the media type. */
function epub(): Buffer {
  const [name, content] = ["mimetype", "application/epub+zip"];
  const header = Buffer.alloc(30);
  header.write("PK\x03\x04", "latin1");
  header.writeUInt32LE(content.length, 18);
  header.writeUInt32LE(content.length, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name + content)]);
}

describe("the lean packages", () => {
  const environment = process.env;
  let home: string;
  let text: string;

  before(async () => {
    text = await bundle(S3_REQUEST);
    home = await mkdtemp(path.join(tmpdir(), "lean-packages-"));
    await mkdir(path.join(home, ".aws"));
    const config = "[default]\nregion = af-south-1\nendpoint_url = http://127.0.0.1:1\n";
    await writeFile(path.join(home, ".aws", "config"), config);
  });

  afterEach(() => {
    process.env = environment;
  });

  after(() => rm(home, { recursive: true, force: true }));

  async function sentWith(variables: Record<string, string | undefined>): Promise<Sent> {
    process.env = { HOME: home, AWS_MAX_ATTEMPTS: "1", ...variables };
    return (await load(text).handler()) as Sent;
  }

  it("reach AWS with the region and the credentials of the environment", async () => {
    const { url, token, scope } = await sentWith(VARIABLES);

    expect(url).to.equal("https://a-bucket.s3.eu-central-1.amazonaws.com/a%20key");
    expect(token).to.equal("a-token");
    expect(scope).to.match(/^a-key\/\d{8}\/eu-central-1\/s3\/aws4_request$/);
  });

  it("know AWS's other partitions", async () => {
    const { url } = await sentWith({ ...VARIABLES, AWS_REGION: "cn-north-1" });
    expect(url).to.equal("https://a-bucket.s3.cn-north-1.amazonaws.com.cn/a%20key");
  });

  it("reach an endpoint of the environment, by path where it is an IP address", async () => {
    const { url } = await sentWith({ ...VARIABLES, AWS_ENDPOINT_URL: "http://127.0.0.1:4510" });
    expect(url).to.equal("http://127.0.0.1:4510/a-bucket/a%20key");
  });

  it("prefer the endpoint of the service", async () => {
    const { url } = await sentWith({
      ...VARIABLES,
      AWS_ENDPOINT_URL: "http://127.0.0.1:4510",
      AWS_ENDPOINT_URL_S3: "https://s3.example.com",
    });
    expect(url).to.equal("https://a-bucket.s3.example.com/a%20key");
  });

  it("use the default where a variable is not set, or invalid", async () => {
    const [unset, nonsense, two] = [undefined, "many", "2"].map((AWS_MAX_ATTEMPTS) => ({
      ...VARIABLES,
      AWS_MAX_ATTEMPTS,
    }));
    expect(await sentWith(unset ?? {})).to.include({ attempts: 3 });
    expect(await sentWith(nonsense ?? {})).to.include({ attempts: 3 });
    expect(await sentWith(two ?? {})).to.include({ attempts: 2 });
  });

  it("report missing credentials, and do not look for them in the home folder", async () => {
    const withoutRegion = await sentWith({ ...VARIABLES, AWS_REGION: undefined });
    expect(withoutRegion).to.include({ url: undefined, error: "Region is missing" });
    const withoutKey = await sentWith({ ...VARIABLES, AWS_ACCESS_KEY_ID: undefined });
    expect(withoutKey.error).to.match(/environment variable credentials/);
  });

  it("read and store objects without loading web streams, WebCrypto or zlib before they are used", async () => {
    const file = path.join(home, "object.js");
    await writeFile(file, await bundle(S3_OBJECT));
    const script = `require(${JSON.stringify(file)}).handler().then((r) => console.log(JSON.stringify(r)))`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], {
      env: VARIABLES,
    });
    const { text, modules, ids, crc32 } = JSON.parse(stdout) as Record<string, string[]>;

    expect(text).to.equal("hello");
    expect(modules).to.include.members(["stream", "crypto"]);
    for (const unused of [
      "internal/webstreams/readablestream",
      "internal/crypto/webcrypto",
      "zlib",
    ]) {
      expect(modules).not.to.include(unused);
    }
    expect(crc32).to.equal("NhCmhg==");
    expect(new Set(ids)).to.have.property("size", 4);
    for (const [index, id] of Object.entries(ids ?? [])) {
      const version = Number(index) < 2 ? 4 : 7;
      expect(id).to.match(new RegExp(`^[0-9a-f]{8}-[0-9a-f]{4}-${version}[0-9a-f]{3}-[89ab]`));
    }
  });

  it("still inspect ZIP files", async () => {
    const detect = await bundle(`
import { fileTypeFromBuffer } from "file-type";
export const handler = () => fileTypeFromBuffer(Buffer.from(process.env.BYTES, "base64"));
`);
    process.env = { BYTES: epub().toString("base64") };
    expect(await load(detect).handler()).to.deep.equal({
      ext: "epub",
      mime: "application/epub+zip",
    });
  });

  /** The errors of a build that has one file replaced. */
  async function errorsWith(file: LeanFile): Promise<string> {
    const build = esbuild.build({
      stdin: { contents: 'export { NIL } from "uuid";', resolveDir: __dirname },
      plugins: [leanPackages([file])],
      bundle: true,
      write: false,
      metafile: true,
      platform: "node",
      logLevel: "silent",
    });
    return build.then(
      () => "",
      (reason: unknown) => (reason as Error).message,
    );
  }

  const NIL = /\/uuid\/.*\/nil\.js$/;

  it("replace the listed files, and nothing else", async () => {
    const lean = () => 'export default "nothing";';
    expect(await errorsWith({ file: NIL, neededBy: /\/uuid\//, lean })).to.equal("");
  });

  it("are found by Windows' paths, too", () => {
    const paths = [
      "C:\\program\\node_modules\\@aws-sdk\\client-s3\\package.json",
      "C:\\program\\node_modules\\uuid\\dist-node\\rng.js",
      "C:\\program\\node_modules\\@smithy\\core\\dist-es\\submodules\\serde\\index.js",
    ];
    for (const name of paths) {
      const found = LEAN_FILES.filter(({ file }) => withAnySeparator(file).test(name));
      expect(found, name).to.have.lengthOf(1);
    }
  });

  it("fail the build when a file is missing, and name it", async () => {
    const lean = () => "";
    const gone = { file: /\/uuid\/old\.js$/, neededBy: /\/uuid\//, lean };
    expect(await errorsWith(gone)).to.match(/Nothing loads \/uuid\/old\.js any more/);
    // A bundle without the package does not need the file.
    expect(await errorsWith({ ...gone, neededBy: /\/left-pad\// })).to.equal("");
  });

  it("fail the build when the leaner file lacks an imported name", async () => {
    const lean = () => "export const other = 1;";
    expect(await errorsWith({ file: NIL, neededBy: /\/uuid\//, lean })).to.match(/"default"/);
  });

  it("fail the build when a file has nothing to remove", async () => {
    const lean = () => {
      throw new Error("There is nothing to do.");
    };
    expect(await errorsWith({ file: NIL, neededBy: /\/uuid\//, lean })).to.include(
      "There is nothing to do.",
    );
  });
});
