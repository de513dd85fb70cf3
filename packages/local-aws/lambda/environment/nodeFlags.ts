/**
 * The flags that the start script of Lambda's own runtime for Node.js gives Node, with their shares
 * of the function's memory.
 *
 * @param memoryMegabytes of the function
 */
export function lambdaNodeFlags(memoryMegabytes: number): string[] {
  return [
    "--expose-gc",
    `--max-semi-space-size=${Math.floor(memoryMegabytes * 0.05)}`,
    `--max-old-space-size=${Math.floor(memoryMegabytes * 0.9)}`,
  ];
}
