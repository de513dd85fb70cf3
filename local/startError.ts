/** What keeps a run from starting and its user can put right; the message is for them. */
export class StartError extends Error {}
