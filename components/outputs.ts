import * as pulumi from "@pulumi/pulumi";
import { type KeepsData, type KeptArgs, keptResources } from "./kept";

export interface OperatorOutputsArgs extends KeptArgs {
  /** The curl line that uploads sample.jpg. */
  uploadCommand: pulumi.Output<string>;
  /** Who gets the mails. */
  emails: string[];
  /** Who gets the mails about failed files. */
  alarmEmails: string[];
  requireApiKey: boolean;
}

/** What an operator reads after `pulumi up`, besides names and URLs. */
export function operatorOutputs(args: OperatorOutputsArgs, components: KeepsData[]) {
  return {
    email: args.emails.join(", "),
    ...keptResources(components, args),
    nextSteps: nextSteps(args),
  };
}

/** Sentences, a line each: the CLI's table cuts long outputs. */
function nextSteps(args: OperatorOutputsArgs): pulumi.Output<string[]> {
  const addresses = [...new Set([...args.emails, ...args.alarmEmails])].join(", ");
  const uploaders = args.requireApiKey
    ? "Only who has the key may upload: npx pulumi stack output uploadApiKey --show-secrets"
    : "Anyone who has the URL may upload. To require a key: " +
      "npx pulumi config set requireApiKey true && npx pulumi up";
  return args.uploadCommand.apply((command) => [
    `Confirm the subscriptions: AWS sends a mail with a link for each to ${addresses}.`,
    `Upload a file: ${command}`,
    uploaders,
    "See what became of it: npm run events -- list (README.md, step 6, has its URL and key).",
  ]);
}
