import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { ObjectStore } from "./objectStore";
import type { ChecksumValues, ObjectDescription } from "./state";

interface DescriptionRow {
  content_type: string;
  /** JSON: names without `x-amz-meta-`. */
  metadata: string;
  content_language: string | null;
  content_disposition: string | null;
  cache_control: string | null;
  content_encoding: string | null;
}

interface ObjectRow extends DescriptionRow {
  bucket: string;
  key: string;
  body: Uint8Array;
  last_modified: string;
  /** JSON: `{ partNumber, offset, length }[]`. */
  parts: string | null;
  checksum_algorithm: string | null;
  checksum_value: string | null;
  checksum_type: "FULL_OBJECT" | "COMPOSITE" | null;
  /** JSON: `string[]`. */
  part_checksums: string | null;
}

interface UploadRow extends DescriptionRow {
  upload_id: string;
  bucket: string;
  key: string;
  initiated: string;
  checksum_algorithm: string | null;
}

interface PartRow {
  part_number: number;
  body: Uint8Array;
  checksum_value: string | null;
}

/**
 * Moves buckets, objects and open uploads out of the SQLite file of fauxqs 2.4.1, in which data
 * folders kept them before. The file's queues stay. If it is killed in between, the next call does
 * it again from the start, so nothing may be written to the store before it returns.
 *
 * One object at a time is in memory.
 * @param folder with `fauxqs.db` in it, or without: then there is nothing to do
 * @returns the number of objects
 */
export async function importFromFauxqs(folder: string, store: ObjectStore): Promise<number> {
  const file = join(folder, "fauxqs.db");
  if (!existsSync(file)) {
    return 0;
  }
  // Loading SQLite takes a while and prints a warning on some versions of Node.
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  try {
    if (!database.prepare("SELECT 1 FROM sqlite_master WHERE name = 's3_buckets'").get()) {
      return 0;
    }
    const buckets = importBuckets(database, store);
    const objects = importObjects(database, store);
    importUploads(database, store);
    if (buckets > 0) {
      database.exec(`
        BEGIN;
        DELETE FROM s3_multipart_parts;
        DELETE FROM s3_multipart_uploads;
        DELETE FROM s3_objects;
        DELETE FROM s3_bucket_lifecycle_configurations;
        DELETE FROM s3_buckets;
        COMMIT;
        VACUUM;
      `);
    }
    return objects;
  } finally {
    database.close();
  }
}

function importBuckets(database: DatabaseSync, store: ObjectStore): number {
  const rows = database
    .prepare(
      `SELECT name, creation_date, configuration FROM s3_buckets
       LEFT JOIN s3_bucket_lifecycle_configurations ON bucket = name`,
    )
    .all() as unknown as { name: string; creation_date: string; configuration: string | null }[];
  for (const { name, creation_date, configuration } of rows) {
    store.createBucket(name, new Date(creation_date));
    if (configuration !== null) {
      store.setLifecycle(name, configuration);
    }
  }
  return rows.length;
}

function importObjects(database: DatabaseSync, store: ObjectStore): number {
  let count = 0;
  for (const each of database.prepare("SELECT * FROM s3_objects").iterate()) {
    const row = each as unknown as ObjectRow;
    const body = toBuffer(row.body);
    const modified = new Date(row.last_modified);
    const description = { headers: headersOf(row), checksums: checksumsOf(row) };
    if (row.parts === null) {
      store.put(row.bucket, row.key, body, description, { modified });
    } else {
      putInParts(row, body, description, modified, store);
    }
    count++;
  }
  return count;
}

/** Through an upload, by which the object gets the ETag that it had. */
function putInParts(
  row: ObjectRow,
  body: Buffer,
  description: ObjectDescription,
  modified: Date,
  store: ObjectStore,
): void {
  const { bucket, key } = row;
  const { checksums, ...upload } = description;
  // Replaces the upload that an interrupted import has left.
  const uploadId = `import of ${bucket}/${key}`;
  store.createUpload({ bucket, key, uploadId, ...upload });
  const address = { bucket, key, uploadId };
  const partChecksums = JSON.parse(row.part_checksums ?? "[]") as string[];
  const parts = JSON.parse(row.parts ?? "[]") as {
    partNumber: number;
    offset: number;
    length: number;
  }[];
  const written = parts.map(({ partNumber, offset, length }, at) =>
    store.putPart(
      address,
      partNumber,
      body.subarray(offset, offset + length),
      checksumOf(row.checksum_algorithm, partChecksums[at]),
    ),
  );
  store.completeUpload(address, written, { checksums, modified });
}

function importUploads(database: DatabaseSync, store: ObjectStore): void {
  const rows = database.prepare("SELECT * FROM s3_multipart_uploads").all();
  for (const row of rows as unknown as UploadRow[]) {
    const { bucket, key, upload_id: uploadId } = row;
    store.createUpload({
      bucket,
      key,
      uploadId,
      initiated: new Date(row.initiated).getTime(),
      headers: headersOf(row),
      checksumAlgorithm: row.checksum_algorithm ?? undefined,
    });
    const parts = database.prepare("SELECT * FROM s3_multipart_parts WHERE upload_id = ?");
    for (const each of parts.iterate(uploadId)) {
      const { part_number, body, checksum_value } = each as unknown as PartRow;
      const checksums = checksumOf(row.checksum_algorithm, checksum_value);
      store.putPart({ bucket, key, uploadId }, part_number, toBuffer(body), checksums);
    }
  }
}

function headersOf(row: DescriptionRow): Record<string, string> {
  const headers: Record<string, string> = { "content-type": row.content_type };
  const others = {
    "cache-control": row.cache_control,
    "content-disposition": row.content_disposition,
    "content-encoding": row.content_encoding,
    "content-language": row.content_language,
  };
  for (const [name, value] of Object.entries(others)) {
    if (value !== null) {
      headers[name] = value;
    }
  }
  const metadata = JSON.parse(row.metadata) as Record<string, string>;
  for (const [name, value] of Object.entries(metadata)) {
    headers[`x-amz-meta-${name}`] = value;
  }
  return headers;
}

function checksumsOf(row: ObjectRow): ObjectDescription["checksums"] {
  const values = checksumOf(row.checksum_algorithm, row.checksum_value);
  return values && { type: row.checksum_type ?? "FULL_OBJECT", values };
}

function checksumOf(algorithm: string | null, value?: string | null): ChecksumValues | undefined {
  return algorithm && value ? { [algorithm]: value } : undefined;
}

function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
