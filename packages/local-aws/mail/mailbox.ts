import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import PostalMime from "postal-mime";

/** A message for one address; an SNS delivery is one. */
export interface Letter {
  address: string;
  /** @default AWS Notification Message */
  subject?: string;
  message: string;
  /** Of the SNS message; the same for all addresses it goes to. */
  messageId: string;
  topicArn: string;
  timestamp: Date;
  /** Stands at the end. @default the mail has no such link */
  unsubscribeUrl?: string;
}

/** A mail in a list. */
export interface Mail {
  /** The file's name without `.eml`. */
  id: string;
  /** The file's full path. */
  file: string;
  to: string;
  subject: string;
  time: Date;
}

/** A mail with its text. */
export interface OpenMail extends Mail {
  text: string;
  /** The file's content. */
  raw: Buffer;
}

export interface Mailbox {
  /** Resolves when the mail's file is complete. */
  deliver(letter: Letter): Promise<Mail>;
  /** All mails, also those of earlier runs, newest first. */
  list(): Promise<Mail[]>;
  /** @returns undefined if there is no mail of this id */
  read(id: string): Promise<OpenMail | undefined>;
}

// A time, then characters that make mails of one moment unique. Nothing in it can leave the folder.
const ID = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3}Z)-[\w-]+$/;

/** A mail that a killed process did not finish. */
const DRAFT = /^\..*\.tmp$/;

/**
 * A folder with one RFC 5322 file (`.eml`) for each mail.
 * @param options.dir is created if missing; nobody else may have it open
 * @param options.from the sender
 * @default "AWS Notifications" <no-reply@sns.amazonaws.com>
 * @param options.onMail is called for each mail once its file is complete
 */
export function createMailbox(options: {
  dir: string;
  from?: string;
  onMail?: (mail: Mail) => void;
}): Mailbox {
  const { dir, from = '"AWS Notifications" <no-reply@sns.amazonaws.com>', onMail } = options;
  mkdirSync(dir, { recursive: true });
  for (const name of readdirSync(dir).filter((each) => DRAFT.test(each))) {
    rmSync(join(dir, name), { force: true });
  }
  const transport = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  // A file never changes, so each is parsed once.
  const known = new Map<string, Mail>();

  const fileOf = (id: string) => join(dir, `${id}.eml`);

  async function open(id: string): Promise<OpenMail | undefined> {
    const raw = await readFile(fileOf(id)).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") {
        return undefined;
      }
      throw error;
    });
    if (!raw) {
      return undefined;
    }
    const parsed = await PostalMime.parse(raw);
    const mail: Mail = {
      id,
      file: fileOf(id),
      to: parsed.to?.map(({ address }) => address).join(", ") ?? "",
      subject: parsed.subject ?? "",
      time: timeOf(id),
    };
    known.set(id, mail);
    return { ...mail, text: parsed.text ?? "", raw };
  }

  return {
    async deliver(letter) {
      const { address, subject, message, messageId, topicArn, timestamp, unsubscribeUrl } = letter;
      const recipient = createHash("sha256").update(address).digest("hex").slice(0, 8);
      // Windows has no colons in file names.
      const time = timestamp.toISOString().replaceAll(":", "-");
      const id = `${time}-${messageId}-${recipient}`;
      const mail: Mail = {
        id,
        file: fileOf(id),
        to: address,
        subject: subject ?? "AWS Notification Message",
        time: timestamp,
      };
      const { message: raw } = await transport.sendMail({
        from,
        to: address,
        subject: mail.subject,
        date: timestamp,
        messageId: `<${messageId}.${recipient}@sns.amazonaws.com>`,
        headers: { "x-amz-sns-message-id": messageId, "x-amz-sns-topic-arn": topicArn },
        text: unsubscribeUrl === undefined ? message : `${message}${footer(unsubscribeUrl)}`,
      });
      // Renamed when complete, so that no reader gets half a mail.
      const draft = join(dir, `.${id}.tmp`);
      try {
        await writeFile(draft, raw as Buffer);
        await rename(draft, mail.file);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
      known.set(id, mail);
      onMail?.(mail);
      return mail;
    },
    async list() {
      const names = (await readdir(dir)).filter((name) => name.endsWith(".eml"));
      const ids = names.map((name) => name.slice(0, -".eml".length)).filter((id) => ID.test(id));
      ids.sort().reverse();
      const mails: Mail[] = [];
      for (const id of ids) {
        if (!known.has(id)) {
          await open(id);
        }
        const mail = known.get(id);
        // Absent if the file was deleted in the meantime.
        if (mail) {
          mails.push(mail);
        }
      }
      return mails;
    },
    async read(id) {
      return ID.test(id) ? open(id) : undefined;
    },
  };
}

/** To the millisecond, unlike the mail's Date header. */
function timeOf(id: string): Date {
  return new Date(id.replace(ID, "$1:$2:$3"));
}

function footer(unsubscribeUrl: string): string {
  return (
    "\n\n--\nIf you wish to stop receiving notifications from this topic, please click or visit the " +
    `link below to unsubscribe:\n${unsubscribeUrl}\n`
  );
}
