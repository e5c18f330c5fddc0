// What the outside may ask of a local cluster's supervisor, over a Unix socket: one JSON object a line each way.

import { z } from 'zod';

export const runResultSchema = z.object({
  code: z.int().nullable(),
  signal: z.string().nullable(),
  stdout: z.string(),
  stderr: z.string(),
});
export type RunResult = z.output<typeof runResultSchema>;

export const processStatusSchema = z.object({
  name: z.string(),
  /** As seen inside the private world. */
  pid: z.int().nullable(),
  running: z.boolean(),
  restarts: z.int(),
  residentKib: z.int(),
  /** Proportional: pages shared with others count by their share. */
  proportionalKib: z.int(),
});
export type ProcessStatus = z.output<typeof processStatusSchema>;

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "expected a–z 0–9 -, at most 63, as in 'web-1'");
const managerId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "expected a–z 0–9 -, at most 32, as in 'm4'");
const argv = z.array(z.string()).min(1);

export const controlMethods = {
  status: {
    params: z.strictObject({}),
    result: z.object({ processes: z.array(processStatusSchema), containers: z.array(z.string()) }),
  },
  /** kill -9, without a restart. */
  kill: { params: z.strictObject({ process: name }), result: z.object({}) },
  stop: { params: z.strictObject({ process: name }), result: z.object({}) },
  /** A signal to a process that runs; nothing if it does not. */
  signal: {
    params: z.strictObject({ process: name, signal: z.enum(['SIGSTOP', 'SIGCONT', 'SIGKILL']) }),
    result: z.object({ pid: z.int().nullable() }),
  },
  /** Ends a host's agent at once and removes what it had made; its next `start` is another boot. */
  rebootHost: { params: z.strictObject({ host: name }), result: z.object({}) },
  /** Starts a process that is not running and answers when it is ready. */
  start: { params: z.strictObject({ process: name }), result: z.object({}) },
  /** Starts a manager that joins the cluster, now and at each later start; nothing new if it is there already. */
  addManager: { params: z.strictObject({ id: managerId }), result: z.object({}) },
  /** Ends a manager for good and throws its data away. */
  removeManager: {
    params: z.strictObject({ id: managerId }),
    result: z.object({ removed: z.boolean() }),
  },
  addContainer: { params: z.strictObject({ name }), result: z.object({ netns: z.string() }) },
  removeContainer: { params: z.strictObject({ name }), result: z.object({}) },
  /** The resolver that programs in this container are given. */
  setNameserver: {
    params: z.strictObject({ container: name, address: z.string().regex(/^[0-9a-f.:]+$/) }),
    result: z.object({}),
  },
  /** Runs a program to its end in a container, in a named network namespace, or in the private world's own. */
  run: {
    params: z.strictObject({
      container: name.optional(),
      netns: name.optional(),
      world: z.literal(true).optional(),
      argv,
      /** Name by which `interrupt` finds it. */
      tag: z.string().optional(),
      timeoutMs: z.int().max(600_000).default(30_000),
    }),
    result: runResultSchema,
  },
  interrupt: { params: z.strictObject({ tag: z.string() }), result: z.object({}) },
  /** What is there now, to show that nothing else is: names of network namespaces. */
  netnsList: { params: z.strictObject({}), result: z.object({ names: z.array(z.string()) }) },
  shutdown: { params: z.strictObject({}), result: z.object({}) },
} as const;

export type ControlMethod = keyof typeof controlMethods;
export type ControlParams<M extends ControlMethod> = z.input<(typeof controlMethods)[M]['params']>;
export type ParsedControlParams<M extends ControlMethod> = z.output<
  (typeof controlMethods)[M]['params']
>;
export type ControlResult<M extends ControlMethod> = z.output<(typeof controlMethods)[M]['result']>;

export type ControlHandlers = {
  [M in ControlMethod]: (params: ParsedControlParams<M>) => Promise<ControlResult<M>>;
};
