// Waiting in tests on real processes: for a time, or until something holds.

export const wait = (ms: number): Promise<void> =>
  new Promise<void>((resolve) => setTimeout(resolve, ms));

export async function eventually(
  holds: () => boolean | Promise<boolean>,
  limitMs = 8_000,
  what = 'it',
): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`${what} did not come about in time`);
    await wait(20);
  }
}

export const pick = <T>(from: readonly T[]): T =>
  from[Math.floor(Math.random() * from.length)] as T;
