// What is made of the figures of single runs.

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
export const percentile = (values, part) =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1];

/**
 * Completions per second, from the times (ms) at which they happened. Counted from one completion to another: of what takes a
 * quarter of a second, a window that begins and ends anywhere would cut off as much as the difference that is looked for.
 */
export function steadyRate(completions, threads) {
  const settled = completions.toSorted((a, b) => a - b).slice(threads);
  if (settled.length < 2) throw new Error("too few completions to tell a rate: measure for more seconds");
  return ((settled.length - 1) * 1000) / (settled.at(-1) - settled[0]);
}

/** A goal beside what was measured; `limit` is the most or the least that it may be. */
export function goal(what, runs, unit, { atLeast, atMost }) {
  const measured = median(runs);
  const met = atLeast === undefined ? measured <= atMost : measured >= atLeast;
  return {
    what,
    measured,
    unit,
    from: Math.min(...runs),
    to: Math.max(...runs),
    limit: atLeast ?? atMost,
    met,
  };
}
