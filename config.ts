import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { closest } from "fastest-levenshtein";

/** The stack's settings, checked. `Pulumi.yaml` declares them for the CLI. */
export interface Settings {
  /** Addresses that get the notifications. */
  emails: string[];
  /** Addresses that get the alarms about failed files. */
  alarmEmails: string[];
  /** Largest direct upload, in bytes. */
  maxUploadBytes: number;
  /** Accepted media types in lower case, such as `image/jpeg` or `image/*`. */
  allowedContentTypes: string[];
  /** Whether a file fails whose bytes show another type than the declared one, or none of the allowed ones. */
  rejectMismatch: boolean;
  /** Rate limit of each API: requests a second on average, and in one burst. */
  throttle: { requestsPerSecond: number; burst: number };
  /** Whether an upload needs an API key. */
  requireApiKey: boolean;
  /** Origins whose pages may send files, to the upload API and to the bucket; empty: none. */
  corsOrigins: string[];
  /** Number of the secret that signs the tickets of upload links, from 1; the one before stays valid. */
  linkSecretVersion: number;
  /** Who collects files by upload links: a name for their page; empty: none. */
  organisation: string;
  /** Days until log entries are deleted. */
  logRetentionDays: number;
  /** Whether `pulumi destroy` deletes stored files and their rows. */
  deleteFilesOnDestroy: boolean;
  /** Names of a bucket and tables that a destroyed stack has kept, by logical name. */
  importKept: Record<string, string>;
  /** Seconds for which notifications are gathered before one mail is sent. */
  digestSeconds: number;
  /** Minutes from one run of the sweeper to the next. */
  sweepMinutes: number;
  /** Seconds that an event may stay unfinished before the sweeper retries it; doubled with each attempt. */
  stuckSeconds: number;
  /** How often the sweeper retries an event before it becomes `failed`. */
  maxAttempts: number;
  /**
   * Partitions of the event table's index for each status. Above 1 it can be raised at any time;
   * any other change of a deployed stack is refused.
   */
  statusShards: number;
}

/** The settings' defaults, as `Pulumi.yaml` declares them. */
export const DEFAULTS = {
  email: "s3-uploader-demo@example.com",
  /** The value of `email`. */
  alarmEmail: "",
  maxUploadBytes: 4 * 1024 * 1024,
  allowedContentTypes: "*/*",
  rejectMismatch: false,
  requestsPerSecond: 50,
  burst: 100,
  requireApiKey: false,
  /** None. */
  corsOrigins: "",
  linkSecretVersion: 1,
  /** None. */
  organisation: "",
  logRetentionDays: 14,
  deleteFilesOnDestroy: true,
  /** None. */
  importKept: "",
  digestSeconds: 1,
  sweepMinutes: 5,
  stuckSeconds: 900,
  maxAttempts: 5,
  statusShards: 1,
};

/** The largest body that, in base64 and JSON, fits Lambda's 6 MB for a synchronous request. */
const LARGEST_MAX_UPLOAD_BYTES = 4_500_000;

/** The values that CloudWatch Logs accepts: up to ten years. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
];

const MAX_ORGANISATION_CHARACTERS = 100;

const ADDRESSES = "one e-mail address, or several separated by commas, such as me@example.com";

/**
 * SNS refuses what has an empty part (a dot at an end, or two in a row), a part that is too long for mail
 * (RFC 5321), or a character that addresses have only in quotes (RFC 5322).
 */
const EMAIL_CHARACTER = '[^\\s\\p{C}@,;:<>()[\\]\\\\".]';
const EMAIL_LABEL = `(?!-)${EMAIL_CHARACTER}{1,63}(?<!-)`;
const EMAIL = new RegExp(
  `^(?=[^@]{1,64}@)${EMAIL_CHARACTER}+(\\.${EMAIL_CHARACTER}+)*@(${EMAIL_LABEL}\\.)+${EMAIL_LABEL}$`,
  "u",
);
const CONTENT_TYPE = /^(\*\/\*|[\w!#$&^.+-]+\/(\*|[\w!#$&^.+-]+))$/;

const ORIGIN = /^(\*|https?:\/\/[^\s\/,*]+(:\d+)?)$/;

function refuse(setting: string, value: unknown, allowed: string): never {
  throw new pulumi.RunError(
    `The setting "${setting}" is ${JSON.stringify(value)}; allowed: ${allowed}. ` +
      `Set it with "pulumi config set ${setting} VALUE".`,
  );
}

function wholeNumber(
  config: pulumi.Config,
  setting: keyof typeof DEFAULTS,
  min: number,
  max: number,
): number {
  const text = config.get(setting) ?? String(DEFAULTS[setting]);
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
    refuse(setting, text, `a whole number from ${min} to ${max}`);
  }
  return value;
}

function yesOrNo(config: pulumi.Config, setting: keyof typeof DEFAULTS): boolean {
  const text = config.get(setting) ?? String(DEFAULTS[setting]);
  if (text !== "true" && text !== "false") {
    refuse(setting, text, "true or false");
  }
  return text === "true";
}

/** Entries separated by commas, or a JSON list as `pulumi config set --path` writes it. */
function entriesOf(text: string): string[] {
  if (!text.trimStart().startsWith("[")) {
    return text.split(",").map((entry) => entry.trim());
  }
  try {
    return (JSON.parse(text) as unknown[]).map(String);
  } catch {
    // The whole text is no valid entry either: the caller refuses it.
    return [text];
  }
}

/** Text without control characters, such as a name. */
function line(
  config: pulumi.Config,
  setting: keyof typeof DEFAULTS,
  maxCharacters: number,
): string {
  const text = (config.get(setting) ?? String(DEFAULTS[setting])).trim();
  if (/\p{C}/u.test(text) || text.length > maxCharacters) {
    refuse(setting, text, `one line of at most ${maxCharacters} characters`);
  }
  return text;
}

function list(
  config: pulumi.Config,
  setting: keyof typeof DEFAULTS,
  pattern: RegExp,
  allowed: string,
): string[] {
  const text = config.get(setting) ?? String(DEFAULTS[setting]);
  const entries = entriesOf(text);
  if (entries.length === 0 || !entries.every((entry) => pattern.test(entry))) {
    refuse(setting, text, allowed);
  }
  return [...new Set(entries)];
}

/** A JSON object of texts, as `pulumi stack output NAME --json` prints one. */
function namesByName(
  config: pulumi.Config,
  setting: keyof typeof DEFAULTS,
): Record<string, string> {
  const text = config.get(setting) ?? "";
  if (text.trim() === "") {
    return {};
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Refused below.
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || !Object.values(value as object).every((name) => typeof name === "string")) {
    refuse(setting, text, "the JSON of a destroyed stack's output keptResources");
  }
  return value as Record<string, string>;
}

/** Pulumi takes any name: a typing error would leave the default in place without a word. */
function warnOfUnknownSettings(): void {
  const namespace = `${pulumi.getProject()}:`;
  const names = Object.keys(DEFAULTS);
  for (const fullName of Object.keys(pulumi.runtime.allConfig())) {
    const name = fullName.slice(namespace.length);
    if (fullName.startsWith(namespace) && !names.includes(name)) {
      void pulumi.log.warn(
        `There is no setting "${name}": it has no effect. Did you mean ` +
          `"${closest(name, names)}"? To remove it: "pulumi config rm ${name}".`,
      );
    }
  }
}

/**
 * Reads the stack's settings.
 *
 * @throws RunError, before any resource is registered, with the setting, its value and the allowed
 *   values
 */
export function loadSettings(): Settings {
  if (!aws.config.region) {
    throw new pulumi.RunError(
      'The region is not known: set it with "pulumi config set aws:region us-east-1", or in ' +
        "the environment variable AWS_REGION. (The REST API's description names it.)",
    );
  }
  const config = new pulumi.Config();
  warnOfUnknownSettings();
  const logRetentionDays = wholeNumber(config, "logRetentionDays", 1, 3653);
  if (!RETENTION_DAYS.includes(logRetentionDays)) {
    refuse("logRetentionDays", logRetentionDays, `one of ${RETENTION_DAYS.join(", ")}`);
  }
  const emails = list(config, "email", EMAIL, ADDRESSES);
  return {
    emails,
    alarmEmails: config.get("alarmEmail") ? list(config, "alarmEmail", EMAIL, ADDRESSES) : emails,
    maxUploadBytes: wholeNumber(config, "maxUploadBytes", 1, LARGEST_MAX_UPLOAD_BYTES),
    allowedContentTypes: list(
      config,
      "allowedContentTypes",
      CONTENT_TYPE,
      "media types separated by commas, such as image/*, application/pdf",
    ).map((type) => type.toLowerCase()),
    rejectMismatch: yesOrNo(config, "rejectMismatch"),
    throttle: {
      requestsPerSecond: wholeNumber(config, "requestsPerSecond", 1, 10_000),
      burst: wholeNumber(config, "burst", 1, 5_000),
    },
    requireApiKey: yesOrNo(config, "requireApiKey"),
    corsOrigins: config.get("corsOrigins")
      ? list(config, "corsOrigins", ORIGIN, "origins such as https://www.example.com, or *")
      : [],
    linkSecretVersion: wholeNumber(config, "linkSecretVersion", 1, 9999),
    organisation: line(config, "organisation", MAX_ORGANISATION_CHARACTERS),
    logRetentionDays,
    deleteFilesOnDestroy: yesOrNo(config, "deleteFilesOnDestroy"),
    importKept: namesByName(config, "importKept"),
    digestSeconds: wholeNumber(config, "digestSeconds", 0, 300),
    sweepMinutes: wholeNumber(config, "sweepMinutes", 1, 60),
    stuckSeconds: wholeNumber(config, "stuckSeconds", 1, 86_400),
    maxAttempts: wholeNumber(config, "maxAttempts", 1, 100),
    statusShards: wholeNumber(config, "statusShards", 1, 64),
  };
}
