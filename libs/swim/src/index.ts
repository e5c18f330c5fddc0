// The public face of the SWIM core.

export { createSwim, type Swim, type SwimOptions } from './swim';
export { swimConfig, type SwimConfig, type SwimPreset } from './config';
export type { SwimEffects, SwimEvent, SwimInput, SwimSend, SwimTrace } from './contract';
export {
  isLive,
  memberLimits,
  type Member,
  type MemberMeta,
  type MemberSelf,
  type MemberState,
} from './member';
export type {
  AckMessage,
  AliveMessage,
  DeadMessage,
  NackMessage,
  OpinionMessage,
  PingMessage,
  PingReqMessage,
  PushPullMessage,
  SuspectMessage,
  SwimMessage,
} from './message';
export type { Reach } from './reach';
export { seededRandom, shuffle, type RandomSource } from './random';
export {
  decodeSwimMessage,
  encodeSwimMessage,
  metaBytes,
  swimMessageBytes,
  type SwimMessageDecoded,
} from './wire/message-codec';
export {
  decodeSwimFrame,
  encodeSwimFrame,
  encryptionReserveBytes,
  frameKinds,
  swimFrameBytes,
  type FrameFault,
  type SwimFrameDecoded,
} from './wire/frame-codec';
