import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { expect } from "chai";
import { pageFiles } from "../../components/lambda/pages";
import { type HttpError } from "../../runtime/http";
import { packagedPage, type Page } from "../../runtime/page";

const VARIABLES = { BUCKET_NAME: "uploads", AWS_REGION: "eu-central-1" };

function request(headers: Record<string, string> = {}, urlPath = "/stage/console") {
  return { headers, requestContext: { path: urlPath } } as unknown as APIGatewayProxyEvent;
}

describe("A page from a Lambda's package", () => {
  let folder: string;
  let page: Page;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "page-"));
    for (const [name, text] of Object.entries(await pageFiles("console"))) {
      writeFileSync(path.join(folder, name), text);
    }
    const variables = { ...VARIABLES, LAMBDA_TASK_ROOT: folder };
    page = packagedPage("console", (name) => variables[name]);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("may load its own scripts, and ask its own origin and the bucket, nothing else", () => {
    const { statusCode, headers } = page.html(request());
    const policy = String(headers?.["Content-Security-Policy"]).replace(/'sha256-[^']+'/g, "HASH");

    expect(statusCode).to.equal(200);
    expect(headers).to.include({
      "Content-Type": "text/html; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-cache",
    });
    expect(policy.split("; ")).to.deep.equal([
      "default-src 'none'",
      "script-src HASH HASH",
      "style-src HASH",
      "img-src data: blob: https://uploads.s3.eu-central-1.amazonaws.com",
      "connect-src 'self' https://uploads.s3.eu-central-1.amazonaws.com",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  it("is sent once to a browser that has it, unless it is an error", () => {
    const eTag = String(page.html(request()).headers?.ETag);
    const again = request({ "If-None-Match": `"other", ${eTag}` });

    expect(page.html(again)).to.deep.include({ statusCode: 304, body: "" });
    expect(page.html(again, 410)).to.include({ statusCode: 410 });
    expect(page.html(request({ "if-none-match": '"other"' }))).to.include({ statusCode: 200 });
  });

  it("has scripts that browsers keep, by the names in the page", () => {
    const names = [...page.html(request()).body.matchAll(/src="console\/([^"]+)"/g)];
    expect(names).to.have.length(2);
    for (const [, name = ""] of names) {
      const { headers } = page.script(name);
      expect(headers).to.include({
        "Content-Type": "text/javascript; charset=utf-8",
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
      });
    }
  });

  it("has nothing else", () => {
    for (const name of ["", "console.page.json", "../index.js", "toString", "__proto__"]) {
      try {
        page.script(name);
        expect.fail(name);
      } catch (error) {
        expect((error as HttpError).statusCode, name).to.equal(404);
      }
    }
  });

  it("is not served with slashes at its URL's end, from where its scripts are elsewhere", () => {
    const locations = ["/stage/console/", "/stage/console//"].map((urlPath) => {
      const { statusCode, headers } = page.html(request({}, urlPath));
      expect(statusCode).to.equal(308);
      return new URL(String(headers?.Location), `https://api.example${urlPath}`).pathname;
    });
    expect(locations).to.deep.equal(["/stage/console", "/stage/console"]);
  });
});
