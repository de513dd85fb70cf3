/** The first argument of each console.error call during `work`. */
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
