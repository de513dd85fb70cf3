import { expect } from "chai";
import { CONTENTS } from "../../../events/mediaType/contents";
import {
  actualMediaType,
  canonicalMediaType,
  contradicts,
  isAllowedFile,
  isAllowedType,
} from "../../../events/mediaType/mediaType";
import { SAME_TYPES } from "../../../events/mediaType/names";

const OPENXML = "application/vnd.openxmlformats-officedocument";

/** Detected types, with the names that tables of media types have for such files. */
const NAMES: [detected: string, ...declared: string[]][] = [
  ["application/x-cfb", "application/msword", "application/vnd.ms-excel", "application/x-msi"],
  ["application/x-cfb", "application/vnd.ms-powerpoint", "application/vnd.ms-outlook"],
  ["application/x-cfb", `${OPENXML}.wordprocessingml.document`, "application/vnd.visio"],
  ["application/zip", `${OPENXML}.spreadsheetml.sheet`, "application/vnd.oasis.opendocument.text"],
  ["application/zip", "application/java-archive", "application/x-zip", "application/epub+zip"],
  [
    "application/zip",
    "application/vnd.google-earth.kmz",
    "model/3mf",
    "application/vnd.comicbook+zip",
  ],
  [
    `${OPENXML}.wordprocessingml.document`,
    "application/zip",
    `${OPENXML}.wordprocessingml.template`,
  ],
  ["application/java-archive", "application/zip", "application/x-java-archive"],
  ["application/x-rar-compressed", "application/vnd.rar", "application/x-rar", "application/x-cbr"],
  ["application/gzip", "application/x-gzip", "application/x-compressed-tar", "application/x-tar"],
  [
    "audio/ogg; codecs=opus",
    "audio/ogg",
    "audio/opus",
    "audio/ogg; codecs=opus",
    "application/ogg",
  ],
  ["audio/ogg", "audio/vorbis", "audio/x-vorbis+ogg", "video/ogg", "audio/ogg; codecs=vorbis"],
  ["video/ogg", "audio/ogg", "video/x-theora+ogg", "application/ogg"],
  ["audio/x-m4a", "audio/mp4", "audio/m4a", "video/mp4", "audio/x-m4b"],
  ["video/mp4", "audio/mp4", "audio/x-m4a", "video/quicktime", "video/x-m4v", "video/3gpp"],
  ["video/quicktime", "video/mp4", "video/x-quicktime"],
  ["video/matroska", "video/x-matroska", "audio/x-matroska", "audio/matroska"],
  ["video/webm", "audio/webm", "video/x-matroska"],
  ["video/vnd.avi", "video/x-msvideo", "video/avi", "video/msvideo"],
  ["video/x-ms-asf", "video/x-ms-wmv", "audio/x-ms-wma", "application/vnd.ms-asf"],
  ["image/x-icon", "image/vnd.microsoft.icon", "image/ico"],
  ["image/heic", "image/heif", "image/heic-sequence", "image/HEIC"],
  ["image/heif", "image/heic", "image/avif"],
  ["image/x-portable-pixmap", "image/x-portable-anymap"],
  ["image/x-portable-graymap", "image/x-portable-anymap"],
  ["image/tiff", "image/x-adobe-dng", "image/x-nikon-nef", "image/tif"],
  ["image/apng", "image/png", "image/vnd.mozilla.apng"],
  ["image/vnd.adobe.photoshop", "image/x-photoshop", "image/psd", "application/x-photoshop"],
  ["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"],
  ["audio/mpeg", "audio/mp3", "audio/x-mpeg", "audio/mp2"],
  ["application/x-msdownload", "application/x-msdos-program", "application/x-ms-dos-executable"],
  ["application/x-sqlite3", "application/vnd.sqlite3", "application/geopackage+sqlite3"],
  ["text/plain", "text/csv", "application/json", "application/javascript", "message/rfc822"],
  ["text/plain", "application/x-sh", "application/x-tex", "audio/x-mpegurl", "text/x-python"],
  ["text/html", "text/plain", "text/markdown", "application/xhtml+xml", "application/x-php"],
  ["application/json", "text/plain", "application/geo+json", "text/json", "text/javascript"],
  ["application/xml", "text/xml", "application/rss+xml", "text/plain", "application/xslt+xml"],
  ["image/svg+xml", "text/plain", "text/xml", "application/xml"],
];

describe("contradicts", () => {
  for (const [detected, ...names] of NAMES) {
    for (const name of names) {
      it(`does not tell ${name} from ${detected}`, () => {
        const [declared, found] = [canonicalMediaType(name), canonicalMediaType(detected)];
        expect(contradicts(declared, found)).to.equal(false);
      });
    }
  }

  const wrong: [detected: string, ...declared: string[]][] = [
    ["text/html", "image/png", "image/svg+xml", "application/pdf", "text/csv", "application/json"],
    ["text/html", "video/mp4", "application/zip", "text/css", "font/woff2"],
    ["image/svg+xml", "image/png", "application/pdf", "application/json"],
    [
      "text/plain",
      "image/png",
      "application/pdf",
      "application/msword",
      "video/mp2t",
      "audio/mpeg",
    ],
    ["application/zip", "application/msword", "application/vnd.rar", "text/plain", "image/png"],
    ["application/x-cfb", "application/zip", "image/jpeg", "text/plain"],
    ["application/octet-stream", "image/png", "text/plain", "application/json", "application/pdf"],
    ["application/x-msdownload", "application/pdf", "image/jpeg", "text/plain", "application/x-sh"],
    ["video/mp4", "audio/mpeg", "image/png", "video/webm"],
    ["image/jpeg", "image/png", "image/heic", "text/html"],
  ];
  for (const [detected, ...names] of wrong) {
    for (const name of names) {
      it(`tells ${name} from ${detected}, which is shown`, () => {
        const [declared, found] = [canonicalMediaType(name), canonicalMediaType(detected)];
        expect(contradicts(declared, found)).to.equal(true);
        expect(actualMediaType(declared, found)).to.equal(found);
      });
    }
  }
});

describe("actualMediaType", () => {
  const shown: [declared: string, detected: string, type: string][] = [
    ["application/msword", "application/x-cfb", "application/msword"],
    ["application/zip", "application/epub+zip", "application/epub+zip"],
    ["image/heif", "image/heic", "image/heic"],
    ["audio/x-m4a", "video/mp4", "audio/mp4"],
    ["audio/ogg", "video/ogg", "video/ogg"],
    ["text/plain", "text/html", "text/html"],
    ["text/markdown", "text/html", "text/markdown"],
    ["application/x-unheard-of", "application/octet-stream", "application/x-unheard-of"],
    ["application/octet-stream", "text/plain", "text/plain"],
  ];
  for (const [declared, detected, type] of shown) {
    it(`is ${type} for ${detected} sent as ${declared}`, () => {
      expect(actualMediaType(canonicalMediaType(declared), detected)).to.equal(type);
    });
  }
});

describe("isAllowedType", () => {
  const cases: [mediaType: string, patterns: string[], allowed: boolean][] = [
    ["image/jpeg", ["*/*"], true],
    ["image/jpeg", ["image/*"], true],
    ["image/jpeg", ["image/jpeg"], true],
    ["image/jpeg", ["text/plain", "image/*"], true],
    ["image/jpeg", ["image/png"], false],
    ["image/jpeg", ["text/*", "application/pdf"], false],
    ["imagery/jpeg", ["image/*"], false],
    ["image/jpeg", [], false],
    ["image/jpeg", [""], false],
  ];
  for (const [mediaType, patterns, allowed] of cases) {
    it(`${allowed ? "allows" : "does not allow"} ${mediaType} by [${patterns.join()}]`, () => {
      expect(isAllowedType(mediaType, patterns)).to.equal(allowed);
    });
  }
});

describe("isAllowedFile", () => {
  const cases: [found: string, patterns: string[], allowed: boolean][] = [
    ["image/jpeg", ["image/jpg"], true],
    ["audio/wav", ["audio/x-wav"], true],
    ["application/zip", ["application/x-zip-compressed"], true],
    ["image/vnd.microsoft.icon", ["image/x-icon"], true],
    ["application/x-unheard-of", ["application/unheard-of"], true],
    // A format that is built on an allowed container.
    ["application/epub+zip", ["application/zip"], true],
    ["video/x-m4v", ["video/mp4"], true],
    ["video/webm", ["video/x-matroska"], true],
    ["application/zip", ["application/epub+zip"], false],
    // Another name of the type begins with text/.
    ["application/xml", ["text/*"], true],
    ["application/json", ["image/*", "text/*"], true],
    ["application/pdf", ["text/*", "image/*"], false],
    ["image/svg+xml", ["text/*"], false],
    ["text/html", ["text/plain"], false],
    ["text/html", ["image/*", "application/pdf"], false],
    ["application/octet-stream", ["image/*"], false],
    ["application/octet-stream", ["*/*"], true],
  ];
  for (const [found, patterns, allowed] of cases) {
    it(`${allowed ? "allows" : "does not allow"} ${found} by [${patterns.join()}]`, () => {
      expect(isAllowedFile(found, patterns)).to.equal(allowed);
    });
  }
});

describe("the tables of media types", () => {
  it("have every name once", () => {
    const names = SAME_TYPES.flatMap((line) => line.split(" ")).map((name) =>
      name.replace("/x-", "/"),
    );
    expect(names.filter((name, index) => names.indexOf(name) !== index)).to.deep.equal([]);
  });

  it("name containers canonically", () => {
    for (const name of Object.keys(CONTENTS)) {
      expect(canonicalMediaType(name), name).to.equal(name);
    }
  });
});
