/** Calls what a callback of another folder gives. */
export async function resolved<Value>(load: () => Promise<Value>): Promise<Value> {
  return load();
}
