/** The first argument of each console.error call during `work`, whose other output is dropped. */
export async function errorsLogged(work: () => unknown): Promise<unknown[]> {
  const logged: unknown[] = [];
  const { error, info } = console;
  const write = process.stdout.write.bind(process.stdout);
  console.error = (entry: unknown) => logged.push(entry);
  console.info = () => undefined;
  process.stdout.write = () => true;
  try {
    await work();
  } finally {
    Object.assign(console, { error, info });
    process.stdout.write = write;
  }
  return logged;
}
