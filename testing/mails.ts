import type { OpenMail } from "local-aws";
import type { Run, RunEvent } from "../start/run";

/** The mails that these events of a run announce, oldest first. */
export async function readMails(
  run: Pick<Run, "readMail">,
  events: readonly RunEvent[],
): Promise<OpenMail[]> {
  const ids = events.flatMap((event) => (event.type === "mail" ? [event.mail.id] : []));
  const mails = await Promise.all(ids.map((id) => run.readMail(id)));
  return mails.filter((mail) => mail !== undefined);
}
