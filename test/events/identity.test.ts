import { expect } from "chai";
import fc from "fast-check";
import { toS3Event } from "local-aws";
import { fileNameFor } from "../../events/fileName";
import {
  type CreatedObject,
  decodeS3Key,
  fileNameOf,
  linkPrefix,
  newUpload,
  objectIdentity,
  parseUploadKey,
  SIGNED_PREFIX,
  UPLOAD_PREFIX,
  uploadOf,
} from "../../events/identity";
import {
  anyText,
  linkIds,
  times,
  unicode,
  uploadIdentities,
  uploadPlaces,
  uploadPrefixes,
  uuidv7At,
} from "./arbitraries";

const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const UUID_V5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A UUID v7, as earlier versions made them. */
const ID = "019a0000-abcd-7abc-8abc-abcdefabcdef";
const TIMESTAMP = new Date(0x019a0000abcd).toISOString();

const object: CreatedObject = {
  bucket: "files",
  key: "photos/cat.jpg",
  sequencer: "0055AED6DCD90281E5",
  eventTime: "2026-11-21T20:00:00.123Z",
};

/** The key in an event of the local S3. */
function encodedByS3(key: string): string {
  const event = {
    bucket: "files",
    key,
    size: 1,
    eTag: "etag",
    sequencer: "0",
    eventName: "ObjectCreated:Put" as const,
    eventTime: new Date(0),
    requestId: "id",
  };
  const context = { region: "us-east-1", accountId: "1", configurationId: "test" };
  return toS3Event(event, context).Records[0]?.s3.object.key ?? "";
}

describe("the identity of an upload", () => {
  it("is a UUID v8 that begins with its time in milliseconds, the timestamp", () => {
    const before = Date.now();
    const { event_id, event_timestamp } = newUpload(UPLOAD_PREFIX, "a.jpg");
    const after = Date.now();

    expect(event_id).to.match(UUID_V8);
    expect(parseInt(event_id.replaceAll("-", "").slice(0, 12), 16)).to.be.within(before, after);
    expect(Date.parse(event_timestamp)).to.equal(
      parseInt(event_id.replaceAll("-", "").slice(0, 12), 16),
    );
    expect(new Date(event_timestamp).toISOString()).to.equal(event_timestamp);
  });

  it("is unique and sorts by time of creation", () => {
    const identities = Array.from({ length: 2000 }, () => newUpload(UPLOAD_PREFIX, "a.jpg"));
    const ids = identities.map(({ event_id }) => event_id);
    const timestamps = identities.map(({ event_timestamp }) => event_timestamp);

    expect(new Set(ids).size).to.equal(ids.length);
    expect([...ids].sort()).to.deep.equal(ids);
    expect([...timestamps].sort()).to.deep.equal(timestamps);
  });
});

describe("an upload's key", () => {
  it("contains prefix, identity and file name, for any file name", () => {
    fc.assert(
      fc.property(uploadIdentities, uploadPlaces, anyText, anyText, (base, place, given, type) => {
        const fileName = fileNameFor(given, type);

        const { object_key, ...identity } = uploadOf(base.event_id, place.prefix, fileName);

        const parsed = parseUploadKey(object_key);
        expect(parsed).to.deep.equal({ ...identity, ...place, fileName, isUnbound: false });
        expect(identity.event_timestamp).to.equal(base.event_timestamp);
        expect(Buffer.byteLength(object_key)).to.be.at.most(1024);
      }),
    );
  });

  it("still contains them after S3's URL encoding in an event", () => {
    fc.assert(
      fc.property(uploadIdentities, uploadPlaces, anyText, (base, place, given) => {
        const fileName = fileNameFor(given, "");
        const { object_key, ...identity } = uploadOf(base.event_id, place.prefix, fileName);

        const key = decodeS3Key(encodedByS3(object_key));

        const parsed = parseUploadKey(key);
        expect(parsed).to.deep.equal({ ...identity, ...place, fileName, isUnbound: false });
      }),
    );
  });

  it("is one event's as a whole only: with another name or prefix, it is no upload's", () => {
    fc.assert(
      fc.property(uploadIdentities, unicode, unicode, (base, name, other) => {
        fc.pre(name !== other && name !== "" && other !== "");
        const upload = uploadOf(base.event_id, UPLOAD_PREFIX, name);
        const folder = `${upload.event_timestamp}/${upload.event_id}/`;

        expect(parseUploadKey(`uploads/${folder}${other}`)).to.equal(undefined);
        expect(parseUploadKey(`signed/${folder}${name}`)).to.equal(undefined);
        expect(parseUploadKey(`uploads/${folder}${name}/${other}`)).to.equal(undefined);
      }),
    );
  });

  it("of a link is no other link's, and no other upload's", () => {
    fc.assert(
      fc.property(uploadIdentities, linkIds, linkIds, unicode, (base, linkId, other, name) => {
        fc.pre(linkId !== other && name !== "");
        const upload = uploadOf(base.event_id, linkPrefix(linkId), name);
        const rest = `${upload.event_timestamp}/${upload.event_id}/${name}`;

        expect(upload.object_key).to.equal(`links/${linkId}/${rest}`);
        for (const prefix of [linkPrefix(other), "links/", UPLOAD_PREFIX, SIGNED_PREFIX]) {
          expect(parseUploadKey(`${prefix}${rest}`)).to.equal(undefined);
        }
      }),
    );
  });

  it("is distinguished from all other keys", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          unicode,
          unicode.map((text) => `uploads/${text}`),
          unicode.map((text) => `signed/${text}`),
          unicode.map((text) => `links/${text}`),
          fc.tuple(linkIds, unicode).map(([linkId, text]) => `links/${linkId}/${text}`),
        ),
        (key) => {
          expect(parseUploadKey(key)).to.equal(undefined);
        },
      ),
    );
  });

  it("is rejected when its two times differ by a millisecond or more", () => {
    fc.assert(
      fc.property(times, times, (inUuid, inPath) => {
        fc.pre(inUuid !== inPath);
        const { event_id } = uploadOf(uuidv7At(inUuid), UPLOAD_PREFIX, "a.jpg");
        for (const id of [event_id, uuidv7At(inUuid)]) {
          const key = `uploads/${new Date(inPath).toISOString()}/${id}/a.jpg`;
          expect(parseUploadKey(key)).to.equal(undefined);
        }
      }),
    );
  });

  it("is the same for every version of the program", () => {
    const upload = uploadOf(ID, SIGNED_PREFIX, "a.jpg");
    expect(upload.object_key).to.equal(`signed/${TIMESTAMP}/${upload.event_id}/a.jpg`);
    expect(upload.event_id).to.equal("019a0000-abcd-8abc-8abc-abcd4e755818");
    const ofLink = uploadOf(ID, linkPrefix(ID), "a.jpg");
    expect(ofLink.object_key).to.equal(`links/${ID}/${TIMESTAMP}/${ofLink.event_id}/a.jpg`);
    expect(ofLink.event_id).to.equal("019a0000-abcd-8abc-8abc-abcdcf455c90");
  });

  it("of an earlier version is known, and that its identity fits other names, too", () => {
    expect(parseUploadKey(`uploads/${TIMESTAMP}/${ID}/a.jpg`)).to.deep.equal({
      event_id: ID,
      event_timestamp: TIMESTAMP,
      prefix: "uploads/",
      fileName: "a.jpg",
      isUnbound: true,
    });
    for (const prefix of [SIGNED_PREFIX, linkPrefix(ID)]) {
      expect(parseUploadKey(`${prefix}${TIMESTAMP}/${ID}/a.jpg`)).to.equal(undefined);
    }
  });

  const foreign: Record<string, string> = {
    "another prefix": `downloads/${TIMESTAMP}/${ID}/a.jpg`,
    "something before the prefix": `/uploads/${TIMESTAMP}/${ID}/a.jpg`,
    "a prefix in upper case": `Uploads/${TIMESTAMP}/${ID}/a.jpg`,
    "an id in upper case": `uploads/${TIMESTAMP}/${ID.toUpperCase()}/a.jpg`,
    "a timestamp in lower case": `uploads/${TIMESTAMP.toLowerCase()}/${ID}/a.jpg`,
    "no file name": `uploads/${TIMESTAMP}/${ID}/`,
    "no file name and no slash": `uploads/${TIMESTAMP}/${ID}`,
    "no id": `uploads/${TIMESTAMP}/a.jpg`,
    "a UUID v4": `uploads/${TIMESTAMP}/${ID.replace("-7abc-", "-4abc-")}/a.jpg`,
    "no RFC 9562 variant": `uploads/${TIMESTAMP}/${ID.replace("-8abc-", "-cabc-")}/a.jpg`,
    "a timestamp without milliseconds": `uploads/${TIMESTAMP.slice(0, 19)}Z/${ID}/a.jpg`,
    "an invalid time": `uploads/2026-13-45T99:99:99.999Z/${ID}/a.jpg`,
    "a time past the year 9999": `uploads/2026-01-01T00:00:00.000Z/ffffffff-ffff-7abc-8abc-abcdefabcdef/a`,
    "no link": `links/${TIMESTAMP}/${ID}/a.jpg`,
    "a link in upper case": `links/${ID.toUpperCase()}/${TIMESTAMP}/${ID}/a.jpg`,
    "a link that is no UUID v7": `links/${ID.replace("-7abc-", "-8abc-")}/${TIMESTAMP}/${ID}/a.jpg`,
    "another writer's file": "uploads/holiday/cat.jpg",
    "only the prefix": "uploads/",
    "no text": "",
  };
  for (const [what, key] of Object.entries(foreign)) {
    it(`is not a key with ${what}`, () => {
      expect(parseUploadKey(key)).to.equal(undefined);
    });
  }
});

describe("the identity of an object", () => {
  it("is the one in the key for an upload, for any event at any time", () => {
    fc.assert(
      fc.property(
        uploadIdentities,
        uploadPrefixes,
        times,
        fc.option(fc.string(), { nil: undefined }),
        fc.option(fc.string(), { nil: undefined }),
        (base, prefix, time, sequencer, versionId) => {
          const { object_key: key, ...identity } = uploadOf(base.event_id, prefix, "cat.jpg");
          const eventTime = new Date(time).toISOString();
          expect(
            objectIdentity({ bucket: "b", key, eventTime, sequencer, versionId }),
          ).to.deep.equal(identity);
        },
      ),
    );
  });

  it("is one of its own below another event's identity", () => {
    const { event_id, event_timestamp } = newUpload(UPLOAD_PREFIX, "photo.jpg");
    const key = `uploads/${event_timestamp}/${event_id}/other.txt`;
    expect(objectIdentity({ ...object, key }).event_id).to.match(UUID_V5);
  });

  it("is a UUID v5 and the event's time, in milliseconds, for any other object", () => {
    const { event_id, event_timestamp } = objectIdentity({
      ...object,
      eventTime: "2026-11-21T20:00:00Z",
    });
    expect(event_id).to.match(UUID_V5);
    expect(event_timestamp).to.equal("2026-11-21T20:00:00.000Z");
  });

  it("is the same for every delivery and every version of the program", () => {
    expect(objectIdentity(object)).to.deep.equal({
      event_id: "8214b68a-d222-5a49-9e60-77bf6e1be8bf",
      event_timestamp: object.eventTime,
    });
  });

  it("differs when bucket, key, version or sequencer differ, wherever one ends", () => {
    const parts = fc.record({ bucket: unicode, key: unicode, versionId: fc.string() });
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = JSON.stringify(Object.entries(one)) === JSON.stringify(Object.entries(other));
        const { eventTime } = object;
        expect(
          objectIdentity({ ...one, eventTime }).event_id ===
            objectIdentity({ ...other, eventTime }).event_id,
        ).to.equal(same);
      }),
    );
    const ids = [
      object,
      { ...object, bucket: "filesp", key: "hotos/cat.jpg" },
      { ...object, bucket: "other" },
      { ...object, key: "photos/cat.jpeg" },
      { ...object, sequencer: "0055AED6DCD90281E6" },
      { ...object, versionId: "v1" },
      { ...object, versionId: "v2" },
    ].map((created) => objectIdentity(created).event_id);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("ignores the sequencer where there is a version: a redelivery may have another one", () => {
    const versioned = { ...object, versionId: "v1" };
    expect(objectIdentity({ ...versioned, sequencer: "00" }).event_id).to.equal(
      objectIdentity(versioned).event_id,
    );
  });

  it("differs for two writes to one key without version and sequencer", () => {
    const bare = { bucket: "b", key: "k", eventTime: "2026-01-01T00:00:00.000Z" };
    const later = { ...bare, eventTime: "2026-01-01T00:00:00.001Z" };
    expect(objectIdentity(bare).event_id).to.not.equal(objectIdentity(later).event_id);
  });
});

describe("decodeS3Key", () => {
  it("reverses S3's encoding of any key", () => {
    fc.assert(
      fc.property(unicode, (key) => {
        expect(decodeS3Key(encodedByS3(key))).to.equal(key);
      }),
    );
  });

  const examples = {
    "a+b": "a b",
    "a%2Bb": "a+b",
    "a%20b": "a b",
    "50%25+off%21/x%3Dy": "50% off!/x=y",
    "%F0%9F%98%80/%C3%BC": "😀/ü",
  };
  for (const [encoded, key] of Object.entries(examples)) {
    it(`decodes ${encoded}`, () => {
      expect(decodeS3Key(encoded)).to.equal(key);
    });
  }

  it("throws for invalid encoding", () => {
    expect(() => decodeS3Key("100%")).to.throw(URIError);
  });
});

describe("fileNameOf", () => {
  const examples = {
    "a/b/cat.jpg": "cat.jpg",
    "cat.jpg": "cat.jpg",
    "folder/": "folder",
    "x//y//": "y",
    "/": "/",
  };
  for (const [key, name] of Object.entries(examples)) {
    it(`is ${name} for ${key}`, () => {
      expect(fileNameOf(key)).to.equal(name);
    });
  }
});
