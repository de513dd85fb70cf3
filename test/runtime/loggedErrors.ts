/** What `work` has written to console.error, one item for each call: its first argument. */
export async function errorsLogged(work: () => unknown): Promise<unknown[]> {
  const logged: unknown[] = [];
  const { error } = console;
  console.error = (entry: unknown) => logged.push(entry);
  try {
    await work();
  } finally {
    console.error = error;
  }
  return logged;
}
