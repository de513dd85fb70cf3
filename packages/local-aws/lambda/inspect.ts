import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { StartError } from "../startError";

/** A function that is inspected. */
export interface Inspect {
  /** Its name in the program, such as `count`. */
  functionName: string;
  /** Port of the debugger on 127.0.0.1; 0 takes a free one. */
  port: number;
}

/**
 * Chooses the debugger's port, which each process of the function opens anew.
 *
 * @throws StartError for a port that is in use
 */
export async function debuggerPort({ port, ...inspect }: Inspect): Promise<Inspect> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
    return { ...inspect, port: (server.address() as AddressInfo).port };
  } catch (error) {
    const { message } = error as Error;
    throw new StartError(`The debugger cannot use port ${port}: ${message}.`, "inspect");
  } finally {
    server.close();
  }
}

/**
 * @param known the functions' names in the program
 * @throws StartError: there is no such function
 */
export function checkInspected(inspect: Inspect | undefined, known: string[]): void {
  if (inspect && !known.includes(inspect.functionName)) {
    throw new StartError(
      `There is no Lambda "${inspect.functionName}" to inspect; there are ${known.join(", ")}.`,
    );
  }
}
