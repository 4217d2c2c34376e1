import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  decorrelatedJitterGenerator,
  ExponentialBackoff,
  handleWhen,
  retry,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
  type IPolicy,
} from "cockatiel";
import { dependencyDuration } from "../telemetry/metrics.js";

const FAILURES_TO_OPEN = 5;
const HALF_OPEN_AFTER_MS = 1_000;
const READ_ATTEMPTS_AGAIN = 2;

/** A store did not answer, or is not asked at the moment because it just failed repeatedly. */
export class DependencyUnavailable extends Error {
  override name = "DependencyUnavailable";

  constructor(
    readonly dependency: string,
    cause: unknown,
  ) {
    super(`${dependency} is not available`, { cause });
  }
}

interface DependencyOptions {
  readonly timeoutMs: number;
  /** Whether an error means that the store is away, rather than that it refused this one request. */
  readonly isOutage: (error: Error) => boolean;
}

/** The one way to a store: every call has a time limit, a circuit breaker, a span and a metric; reads are tried again. */
export class Dependency {
  private readonly once: IPolicy;
  private readonly repeated: IPolicy;
  private readonly tracer = trace.getTracer("dependencies");
  private readonly isOutage: (error: Error) => boolean;

  constructor(
    readonly name: string,
    { timeoutMs, isOutage }: DependencyOptions,
  ) {
    this.isOutage = (error) => error instanceof TaskCancelledError || isOutage(error);
    const outages = handleWhen(this.isOutage);
    const breaker = circuitBreaker(outages, {
      halfOpenAfter: HALF_OPEN_AFTER_MS,
      breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
    });
    this.once = wrap(breaker, timeout(timeoutMs, TimeoutStrategy.Aggressive));
    const again = retry(outages, {
      maxAttempts: READ_ATTEMPTS_AGAIN,
      backoff: new ExponentialBackoff({
        generator: decorrelatedJitterGenerator,
        initialDelay: 20,
        maxDelay: 200,
      }),
    });
    this.repeated = wrap(again, this.once);
  }

  /** Runs what may run twice. */
  read<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return this.observe(operation, () => this.repeated.execute(call));
  }

  /** Runs what must not run twice: whether a write without an answer took place is not known. */
  write<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return this.observe(operation, () => this.once.execute(call));
  }

  private observe<T>(operation: string, call: () => Promise<T>): Promise<T> {
    const labels = { dependency: this.name, operation };
    return this.tracer.startActiveSpan(
      `${this.name} ${operation}`,
      { kind: SpanKind.CLIENT },
      async (span) => {
        const end = dependencyDuration.startTimer(labels);
        try {
          const result = await call();
          end({ outcome: "ok" });
          return result;
        } catch (error) {
          const outage =
            error instanceof BrokenCircuitError || (error instanceof Error && this.isOutage(error));
          end({ outcome: outage ? "unavailable" : "error" });
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw outage ? new DependencyUnavailable(this.name, error) : error;
        } finally {
          span.end();
        }
      },
    );
  }
}
