// What is measured, whoever it is: a cluster of three members on this machine, and a client of it. The measurements know no more
// than this of either.

/** One connection of one process, as a service would hold it; any number of calls may be under way at once. */
export interface PeerClient {
  put(key: string, value: string): Promise<void>;
  /** Linearizable. */
  get(key: string): Promise<string | undefined>;
  /** All keys in one transaction. */
  putAll(keys: readonly string[], value: string): Promise<void>;
  /** Resolves once it is open; calls back with the values of the events of each message. */
  watch(prefix: string, onValues: (values: readonly string[]) => void): Promise<() => void>;
  close(): Promise<void>;
}

export interface Memory {
  readonly residentKib: number;
  /** Pages that are shared count by their share. */
  readonly proportionalKib: number;
}

export interface Peer {
  readonly name: 'skein' | 'etcd';
  readonly members: readonly string[];
  /** Starts what its members need and the members; resolves once writes are answered. */
  start(): Promise<void>;
  /** Ends all of it, in order, and removes its data. */
  stop(): Promise<void>;
  leader(): Promise<string>;
  /** kill -9; resolves when the process is gone. */
  kill(member: string): Promise<void>;
  /** Starts members that were killed, from their disks; resolves when the processes run. */
  revive(members: readonly string[]): Promise<void>;
  /** Resolves once every member follows and has all that is committed. */
  whole(): Promise<void>;
  client(options?: { batching?: boolean }): Promise<PeerClient>;
  /** One attempt to write (or, with `read`, to read), through whichever member answers; rejects after `timeoutMs`. */
  attempt(timeoutMs: number, read?: boolean): Promise<void>;
  memory(): Memory;
  /** Processor time of the members and of what they need, in milliseconds. */
  cpuMs(): number;
}
