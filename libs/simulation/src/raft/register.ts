// The state machine that the simulated cluster replicates: named strings that are put, appended to
// and read. The same rules serve the replicas and the linearizability checker. It must not know
// Raft.
import type { SequentialModel } from '../linearizability';

export interface RegisterCommand {
  /** Unique in a run. */
  readonly id: number;
  readonly kind: 'put' | 'append' | 'get';
  readonly key: string;
  readonly value: string;
}

/** The value after the command. */
export function applyCommand(value: string, command: RegisterCommand): string {
  switch (command.kind) {
    case 'put':
      return command.value;
    case 'append':
      return `${value}${command.value}`;
    case 'get':
      return value;
  }
}

export const registerModel: SequentialModel<string, RegisterCommand, string> = {
  initial: '',
  apply: (state, command, output) => {
    const next = applyCommand(state, command);
    return output === undefined || output === next ? next : null;
  },
  keyOf: (state) => state,
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeCommand(command: RegisterCommand): Uint8Array {
  return encoder.encode(JSON.stringify(command));
}

export function decodeCommand(data: Uint8Array): RegisterCommand {
  return JSON.parse(decoder.decode(data)) as RegisterCommand;
}
