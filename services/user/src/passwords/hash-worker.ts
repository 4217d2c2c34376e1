import { compareSync, hashSync } from "bcrypt";

export type HashTask =
  | { readonly kind: "hash"; readonly password: string; readonly cost: number }
  | { readonly kind: "compare"; readonly password: string; readonly hash: string };

/** Runs in a thread of its own, where blocking harms nobody. */
export default function work(task: HashTask): string | boolean {
  return task.kind === "hash" ? hashSync(task.password, task.cost) : compareSync(task.password, task.hash);
}
