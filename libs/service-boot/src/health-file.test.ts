import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { healthEveryMs, keepHealthFile } from './health-file';

let folder: string;
let path: string;
let isWell: boolean;

const age = () => utimesSync(path, 1, 1);
const isFresh = () => statSync(path).mtimeMs > 1_000;

beforeEach(() => {
  jest.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), 'skein-health-'));
  path = join(folder, 'health');
  isWell = true;
});
afterEach(() => {
  jest.useRealTimers();
  rmSync(folder, { recursive: true });
});

describe('a health file', () => {
  it('is renewed while the service is well, and only then', () => {
    const end = keepHealthFile(path, () => isWell);
    age();
    jest.advanceTimersByTime(healthEveryMs);
    expect(isFresh()).toBe(true);
    isWell = false;
    age();
    jest.advanceTimersByTime(10 * healthEveryMs);
    expect(isFresh()).toBe(false);
    isWell = true;
    jest.advanceTimersByTime(healthEveryMs);
    expect(isFresh()).toBe(true);
    end();
  });

  it('goes with the service', () => {
    keepHealthFile(path, () => isWell)();
    jest.advanceTimersByTime(10 * healthEveryMs);
    expect(existsSync(path)).toBe(false);
  });
});
