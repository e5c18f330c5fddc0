// Which part of the committed state concerns a host, how it changes, and how two sides know that they agree on it.

export * from './facts';
export { defaultOverlayMtu, networkMtu, overheadBytes, overlayMtuOf } from './items';
export { canonicalJson, digestOf, hashText, hashToHex } from './digest';
export { applyDelta, diff } from './delta';
export { KeptShare } from './kept-share';
export { isUntouched, mergeTouched, nothingTouched, type Touched } from './touched';
export { CommittedState, type StateChange } from './committed-state';
