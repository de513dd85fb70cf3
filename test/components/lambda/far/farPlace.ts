export async function farPlace() {
  return (await import("./place.ts")).place;
}
