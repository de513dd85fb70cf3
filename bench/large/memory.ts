import { readdirSync, readFileSync } from "node:fs";

/** A field of a process's status, in bytes; 0 where the process is gone. Linux only. */
function statusOf(pid: number, field: "VmHWM" | "VmRSS"): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The most memory that a process has had, in bytes (`VmHWM`). */
export function peakOf(pid: number): number {
  return statusOf(pid, "VmHWM");
}

/** The memory of a process's children now, all together, in bytes. */
export function childrenOf(pid: number): number {
  const children = readdirSync("/proc").filter((name) => {
    try {
      return (
        readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1]?.split(" ")[1] === String(pid)
      );
    } catch {
      // No process, or one that has ended.
      return false;
    }
  });
  return children.reduce((sum, child) => sum + statusOf(Number(child), "VmRSS"), 0);
}
