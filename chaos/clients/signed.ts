import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Client, Result, Sent } from "./client";
import { errorOf, type Reply, requestUntilAnswered } from "./http";
import type { PlannedUpload } from "./plan";

/** The answer of `POST /uploads`. */
interface Signed extends Answer {
  /** Absent: the file has arrived already. */
  url?: string;
  method: string;
  headers: Record<string, string>;
}

const OK = 200;
const CREATED = 201;
const NO_CONTENT = 204;
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 412;

function answerOf({ event_id, bucket, key }: Signed): Answer {
  return { event_id, bucket, key };
}

async function sign({ target, seed, signal }: Client, upload: PlannedUpload): Promise<Reply> {
  return requestUntilAnswered(
    `${target.managerUrl}/uploads`,
    {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-api-key": target.managerApiKey,
        "idempotency-key": `${seed}-${upload.index}`,
      },
      body: JSON.stringify({
        filename: upload.name,
        content_type: upload.contentType,
        size: upload.body.length,
      }),
    },
    signal,
  );
}

async function put({ url = "", ...signed }: Signed, body: Buffer, signal?: AbortSignal) {
  const { method, headers } = signed;
  return requestUntilAnswered(url, { method, headers, body: new Uint8Array(body) }, signal);
}

function unrefused(replies: Reply[]): string[] {
  return replies.filter(({ status }) => status !== PRECONDITION_FAILED).map(errorOf);
}

/** Sends a file by a signed request, and what else the plan says. */
export async function sendSigned(client: Client, upload: PlannedUpload): Promise<Sent> {
  const permission = await sign(client, upload);
  const { tries, status } = permission;
  if (status !== OK && status !== CREATED) {
    return { tries, error: errorOf(permission) };
  }
  const signed = JSON.parse(permission.text) as Signed;
  const answer = answerOf(signed);
  if (signed.url === undefined) {
    return { tries, answer };
  }
  const { signal, acts } = client;
  const act = acts ? upload.act : undefined;
  const replies = await Promise.all([
    put(signed, upload.body, signal),
    ...(act === "race" ? [put(signed, upload.otherBody, signal)] : []),
  ]);
  const [first] = replies;
  // Where the answer to an earlier try was lost, the file is there.
  if (first.status !== OK && first.status !== PRECONDITION_FAILED) {
    return { tries: tries + first.tries - 1, error: errorOf(first) };
  }
  if (act === "again") {
    replies.push(await put(signed, upload.body, signal));
  }
  // One of them is the first write.
  const accepted = replies.findIndex((reply) => reply.status === OK);
  const result = {
    tries: tries + first.tries - 1,
    answer,
    unrefused: unrefused(replies.toSpliced(Math.max(0, accepted), 1)),
  };
  return act === "deleteAndSend"
    ? { ...result, later: deleteAndSend(client, upload, signed, result) }
    : result;
}

/** Deletes the event when it is finished, and sends the file again, meanwhile or later. */
async function deleteAndSend(
  { target, finishedEvent }: Client,
  { body, pauseMs }: PlannedUpload,
  signed: Signed,
  result: Result,
): Promise<Result> {
  await finishedEvent?.(signed.event_id);
  const deleting = requestUntilAnswered(`${target.managerUrl}/events/${signed.event_id}`, {
    method: "DELETE",
    headers: { "x-api-key": target.managerApiKey },
  });
  const [deletion, late] = await Promise.all([
    deleting,
    sleep(pauseMs).then(() => put(signed, body)),
  ]);
  const isDeleted = deletion.status === NO_CONTENT || deletion.status === NOT_FOUND;
  return {
    ...result,
    isDeleted,
    ...(isDeleted ? { lateWrites: late.status === OK ? 1 : 0 } : { error: errorOf(deletion) }),
  };
}
