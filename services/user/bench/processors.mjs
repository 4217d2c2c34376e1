// Which processor each program has, so that those who ask do not slow down who answers.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The processors that a process may use, by number. */
export function allowed(pid = "self") {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const ranges = /^Cpus_allowed_list:\s*(.+)$/m.exec(status)[1].split(",");
  return ranges.flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}

/**
 * Keeps a process with all its threads on some processors.
 *
 * @returns whether that was possible: it runs here, and is ours to pin.
 */
export function pin(pid, processors) {
  const args = ["--all-tasks", "--cpu-list", "--pid", processors.join(","), String(pid)];
  return spawnSync("taskset", args, { stdio: "ignore" }).status === 0;
}

/** A command and its arguments, so that it starts on some processors. */
export const pinned = (processors, command) => ["taskset", ["--cpu-list", processors.join(","), ...command]];
