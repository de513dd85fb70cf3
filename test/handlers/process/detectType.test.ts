import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect } from "chai";
import { inspectFile } from "../../../handlers/process/inspectFile";
import { heif, id3, ispe, JPEG, png } from "./mediaFiles";
import { inspect, memoryFile } from "./memoryFile";

const FLAC = Buffer.concat([Buffer.from("fLaC\0\0\0\x22"), Buffer.alloc(64)]);
const MP3 = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x00]), Buffer.alloc(413)]);

describe("the type of a text", () => {
  const texts: [text: string | Buffer, type: string][] = [
    ["<!doctype html><title>x</title>", "text/html"],
    ["\n <!-- a comment -->\n<HTML><body>", "text/html"],
    ["<script>alert(1)</script>", "text/html"],
    ["<img src=x onerror=alert(1)>", "text/html"],
    ['<?xml version="1.0"?><!DOCTYPE html><html xmlns="x">', "application/xhtml+xml"],
    [Buffer.from("\ufeff<!doctype html>", "utf16le"), "text/html"],
    ["\ufeff<html>", "text/html"],
    ["<svg onload='alert(1)'/>", "image/svg+xml"],
    ["<!DOCTYPE svg PUBLIC 'a' 'b' [<!ENTITY c 'd'>]><s:svg xmlns:s='e'/>", "image/svg+xml"],
    ['<?xml version="1.0"?>\n<!-- <svg> --><note/>', "application/xml"],
    ['{"a": [1, 2]}', "application/json"],
    ['{"a": "b", "c', "text/plain"],
    [`[${'{"a": 1},'.repeat(20_000)}`, "application/json"],
    ["%PDF-1.7\n", "application/pdf"],
    ["{\\rtf1 a}", "application/rtf"],
    ["BEGIN:VCARD\r\n", "text/vcard"],
    ["BMW and MZ are makers", "text/plain"],
    ["GIFs are pictures", "text/plain"],
    ["II*\tsecond to none", "text/plain"],
    ["%!TEX program = xelatex\n", "text/plain"],
    ["solid ground", "text/plain"],
    [Buffer.from("Gr\u00fc\u00dfe", "latin1"), "text/plain"],
    [Buffer.from("plain words", "utf16le"), "text/plain"],
    ["words of DOS\r\n\x1a", "text/plain"],
  ];
  for (const [text, type] of texts) {
    const bytes = Buffer.from(text);
    it(`is ${type}: ${JSON.stringify(bytes.toString("latin1").slice(0, 50))}`, async () => {
      expect(await inspect(bytes, "")).to.include({ type });
      expect(await inspect(bytes, "image/png")).to.include({ type, declared_type: "image/png" });
    });
  }
});

describe("the type of other bytes", () => {
  it("is unknown rather than what was declared, for a type that has a signature", async () => {
    const bytes = Buffer.from([1, 2, 3, 4, 0, 9]);
    const type = "application/octet-stream";
    expect(await inspect(bytes, "image/png")).to.include({ type, declared_type: "image/png" });
    expect(await inspect(bytes, "text/csv")).to.include({ type, declared_type: "text/csv" });
    expect(await inspect(bytes, "application/vnd.x")).to.include({ type: "application/vnd.x" });
    expect(await inspect(bytes, "application/vnd.x")).to.not.have.property("declared_type");
  });

  it("is that of the sound behind a long tag", async () => {
    for (const [sound, type] of [
      [FLAC, "audio/flac"],
      [MP3, "audio/mpeg"],
    ] as const) {
      const file = memoryFile(Buffer.concat([id3(300_000), id3(90_000), sound]), "");
      expect(await inspectFile(file)).to.include({ type });
      expect(file.reads).to.have.lengthOf(3);
    }
    const tagged = Buffer.concat([id3(2_000_000), FLAC]);
    expect(await inspect(tagged, "audio/x-flac")).to.not.have.property("declared_type");
  });

  it("is audio/mpeg where a tag does not end in the file", async () => {
    expect(await inspect(id3(90_000).subarray(0, 70_000), "")).to.include({ type: "audio/mpeg" });
  });

  it("is by all of a file's brands", async () => {
    const type = "image/avif";
    const bytes = heif("mif1", [ispe(3, 2)], [1]);
    expect(await inspect(bytes, "")).to.include({ type: "image/heif", width: 3, height: 2 });
    bytes.write("avif", bytes.indexOf("mif1", 12), "latin1");
    expect(await inspect(bytes, "")).to.include({ type, width: 3, height: 2 });
  });

  it("is image/jpeg for a photo that begins with many fill bytes", async () => {
    const filled = Buffer.concat([
      JPEG.subarray(0, 2),
      Buffer.alloc(70_000, 0xff),
      JPEG.subarray(2),
    ]);
    expect(await inspect(filled, "image/jpeg")).to.include({ type: "image/jpeg", width: 1200 });
  });

  it("is application/pdf for a document behind other bytes", async () => {
    const bytes = Buffer.from("\0\x01junk\n%PDF-1.4\n");
    expect(await inspect(bytes, "application/pdf")).to.include({ type: "application/pdf" });
  });
});

describe("the type of a file with a Content-Encoding", () => {
  function inspectEncoded(bytes: Buffer, contentType: string, encoding: string) {
    return inspectFile(memoryFile(bytes, contentType, undefined, encoding));
  }

  it("is that of the bytes behind gzip, also of the first of many", async () => {
    const html = { type: "text/html", declared_type: "image/png" };
    const page = gzipSync(Buffer.from("<!doctype html>"));
    const agreeing = await inspectEncoded(page, "text/html; charset=utf-8", "gzip");
    expect(agreeing).to.include({ type: "text/html" }).and.not.have.property("declared_type");
    expect(await inspectEncoded(page, "image/png", "gzip,aws-chunked")).to.include(html);
    const bomb = gzipSync(Buffer.alloc(30_000_000, "<!doctype html>"));
    expect(await inspectEncoded(bomb, "image/png", "x-gzip")).to.include(html);
    const cut = gzipSync(png(30, 20)).subarray(0, 60);
    expect(await inspectEncoded(cut, "image/png", "gzip")).to.include({ width: 30, height: 20 });
  });

  it("is that of the bytes as they are, where they are not compressed or declared as gzip", async () => {
    expect(await inspectEncoded(png(3, 2), "image/png", "gzip")).to.include({ width: 3 });
    const archive = await inspectEncoded(gzipSync(Buffer.from("a")), "application/x-gzip", "gzip");
    expect(archive).to.include({ type: "application/gzip" }).and.not.have.property("declared_type");
  });

  it("is that of the bytes behind any encoding that browsers undo, and several of them", async () => {
    const page = Buffer.from("<!doctype html>".padEnd(200_000));
    const encoded: [encoding: string, bytes: Buffer][] = [
      ["br", brotliCompressSync(page)],
      ["deflate", deflateSync(page)],
      ["zstd", zstdCompressSync(page)],
      ["gzip, br", brotliCompressSync(gzipSync(page))],
      ["br", brotliCompressSync(Buffer.from("<!doctype html>"))],
    ];
    for (const [encoding, bytes] of encoded) {
      expect(await inspectEncoded(bytes, "image/png", encoding), encoding).to.include({
        size: bytes.length,
        type: "text/html",
        declared_type: "image/png",
      });
      const agreeing = await inspectEncoded(bytes, "text/html", encoding);
      expect(agreeing, encoding).to.not.have.property("declared_type");
    }
  });

  it("cannot be hidden by an encoding that the bytes do not have, or that nobody knows", async () => {
    const page = Buffer.from("<!doctype html>");
    for (const encoding of ["br", "deflate", "zstd", "gzip, br", "rot13", "br, x", "constructor"]) {
      expect(await inspectEncoded(page, "image/png", encoding), encoding).to.include({
        type: "text/html",
        declared_type: "image/png",
      });
    }
  });
});
