import { randomBytes } from "node:crypto";
import { getRounds } from "bcrypt";
import { Piscina } from "piscina";
import { unavailable } from "../http/problem.js";
import { passwordHashDuration, passwordHashQueue } from "../telemetry/metrics.js";
import type { HashTask } from "./hash-worker.js";
import { isHashable, normalise } from "./password.js";

/** How far hashing stands back behind the thread that answers requests, in steps of nice(2). */
const NICE = 10;

interface HasherOptions {
  readonly cost: number;
  readonly threads: number;
  readonly queueLimit: number;
}

/**
 * bcrypt in threads of its own, not in libuv's pool: there the signatures of access tokens would wait behind it. The threads
 * run at a lower priority than the event loop, so that other requests stay fast while every thread hashes.
 */
export class PasswordHasher {
  private readonly pool: Piscina<HashTask, string | boolean>;

  /** A hash that no password has: what a login of an unknown address is checked against, to take as long. */
  private readonly dummy: Promise<string>;

  constructor(private readonly options: HasherOptions) {
    this.pool = new Piscina({
      filename: new URL("./hash-worker.js", import.meta.url).href,
      minThreads: options.threads,
      maxThreads: options.threads,
      maxQueue: options.queueLimit,
      niceIncrement: NICE,
    });
    this.dummy = this.hash(randomBytes(32).toString("base64url"));
    // Who awaits it sees a failure; that nobody did yet when the service stops early is no failure of the process.
    this.dummy.catch(() => undefined);
  }

  /** @throws {Problem} 503 with Retry-After when the queue is full. */
  async hash(password: string): Promise<string> {
    return (await this.run({
      kind: "hash",
      password: normalise(password),
      cost: this.options.cost,
    })) as string;
  }

  /**
   * Whether the password is that of the hash. Without a hash it takes as long, and the answer is no.
   *
   * @throws {Problem} 503 with Retry-After when the queue is full.
   */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    const task = {
      kind: "compare",
      password: normalise(password),
      hash: hash ?? (await this.dummy),
    } as const;
    const matches = await this.run(task);
    return matches === true && hash !== undefined && isHashable(password);
  }

  /** Whether a hash was made at another cost than is wanted now. */
  isOutdated(hash: string): boolean {
    return getRounds(hash) !== this.options.cost;
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private async run(task: HashTask): Promise<string | boolean> {
    if (this.pool.queueSize >= this.options.queueLimit) {
      throw unavailable("Too many passwords are being checked at the moment.", this.secondsToDrain());
    }
    const end = passwordHashDuration.startTimer();
    const running = this.pool.run(task);
    passwordHashQueue.set(this.pool.queueSize);
    try {
      return await running;
    } finally {
      end();
      passwordHashQueue.set(this.pool.queueSize);
    }
  }

  /** How long the queue as it stands will take, by the mean time of the computations so far. */
  private secondsToDrain(): number {
    return (this.pool.queueSize * this.pool.histogram.runTime.average) / 1000 / this.options.threads;
  }
}
