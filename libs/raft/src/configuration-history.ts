// The configurations of the log: the one before its first entry and those that its entries set, so
// that the newest is in force at once, a truncation restores the one before, and a snapshot finds the
// one of its index. It must not know who counts, or why one changes.
import { assert } from './assert';
import { decodeConfiguration } from './codec';
import type { Configuration, LogEntry, RestoredState } from './types';

export interface ConfigurationPlace {
  /** Where the configuration was appended; 0 for a cluster's first. */
  readonly index: number;
  readonly configuration: Configuration;
}

export class ConfigurationHistory {
  private earlier: ConfigurationPlace[] = [];

  constructor(private newest: ConfigurationPlace) {}

  get current(): Configuration {
    return this.newest.configuration;
  }

  get currentIndex(): number {
    return this.newest.index;
  }

  /** Takes an appended entry of kind `configuration`. */
  append(entry: LogEntry): void {
    const configuration = decodeConfiguration(entry.data);
    assert(configuration !== null, `entry ${entry.index} holds no configuration`);
    this.earlier.push(this.newest);
    this.newest = { index: entry.index, configuration };
  }

  /** True when an earlier configuration is in force again. */
  truncateFrom(index: number): boolean {
    const { newest } = this;
    while (this.newest.index >= index) {
      const before = this.earlier.pop();
      assert(before !== undefined, `no configuration before ${index}`);
      this.newest = before;
    }
    return this.newest !== newest;
  }

  /** Forgets those that were replaced at `index` or before. */
  compactTo(index: number): void {
    if (this.newest.index <= index) {
      this.earlier = [];
      return;
    }
    let kept = 0;
    while ((this.earlier[kept + 1]?.index ?? Infinity) <= index) kept += 1;
    this.earlier.splice(0, kept);
  }

  /** The one in force at `index`. */
  at(index: number): ConfigurationPlace {
    if (this.newest.index <= index) return this.newest;
    const place = this.earlier.findLast((each) => each.index <= index);
    assert(place !== undefined, `the configuration at ${index} is forgotten`);
    return place;
  }

  /** A snapshot takes the place of the log. */
  restore(place: ConfigurationPlace): void {
    this.earlier = [];
    this.newest = place;
  }
}

/** After a restart the newest of the log is in force, applied or not (bugs 2 and 3). */
export function restoreConfigurations(restored: RestoredState): ConfigurationHistory {
  const { snapshot, entries } = restored;
  const before = snapshot?.configurationIndex ?? restored.configurationIndex ?? snapshot?.index;
  const history = new ConfigurationHistory({
    index: Math.min(before ?? 0, snapshot?.index ?? 0),
    configuration: snapshot?.configuration ?? restored.configuration,
  });
  for (const entry of entries) if (entry.kind === 'configuration') history.append(entry);
  return history;
}
