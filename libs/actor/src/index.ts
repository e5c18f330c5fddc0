// The public face: actors with bounded mailboxes, supervised, on promise micro-tasks.

export type { Activation } from './activation';
export {
  ActorSystem,
  addressOf,
  type ActorFailure,
  type ActorSystemOptions,
  type DeadLetter,
} from './actor-system';
export {
  AskFailure,
  defaultMailboxLimit,
  defaultMaxBatch,
  type ActorAddress,
  type ActorContext,
  type ActorRef,
  type ActorTimers,
  type AskFailureCode,
  type Behavior,
  type BehaviorFactory,
  type Reply,
  type SpawnOptions,
  type TellOutcome,
} from './behavior';
export { defaultSupervision, type Directive, type Supervision } from './supervision';
