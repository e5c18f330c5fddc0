// One clock for all processes of a run: milliseconds of the kernel's monotonic clock. Knows nothing of the time of day.

export const nowMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);
