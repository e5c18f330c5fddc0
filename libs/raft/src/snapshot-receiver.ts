// How a member takes a snapshot from its leader (Raft §7): stores chunks, installs the whole, answers
// as after an append. A snapshot never takes away what is committed here. It must not know where the
// bytes are kept.
import { assert } from './assert';
import { acknowledge } from './follower';
import type { RaftNode } from './node';
import { marked } from './recovery';
import type { InstallSnapshot } from './messages';
import type { SnapshotHeader, SnapshotInput } from './types';

type Place = { readonly index: number; readonly term: number };

export function receiveInstallSnapshot(node: RaftNode, message: InstallSnapshot): void {
  const { from, term, snapshot: header, offset, size, data, crc } = message;
  if (node.installing !== null) {
    node.drop(message, 'installing');
    return;
  }
  if (contradicts(node, header)) {
    node.drop(message, 'snapshot_conflict');
    return;
  }
  if (isCovered(node, header)) {
    acknowledgeCovered(node, header);
    return;
  }
  node.receiving = { header, size };
  node.out.snapshot({ kind: 'store', from, term, header, offset, size, data, crc });
}

/** What is committed here is the same everywhere: another term there is a fault (bug 27). */
function contradicts(node: RaftNode, { index, term }: SnapshotHeader): boolean {
  if (index > node.commit) return false;
  const own = node.log.termAt(index);
  return own !== null && own !== term;
}

/** The log holds all of it: with its configuration, which may be newer than the header's (bug 26). */
function isCovered(node: RaftNode, { index, term }: SnapshotHeader): boolean {
  return index <= node.commit || node.log.termAt(index) === term;
}

function acknowledgeCovered(node: RaftNode, header: SnapshotHeader): void {
  node.receiving = null;
  node.commitTo(header.index);
  if (node.leader !== null) acknowledge(node, node.leader, Math.max(header.index, node.commit));
}

export function snapshotStored(
  node: RaftNode,
  stored: Extract<SnapshotInput, { kind: 'snapshotStored' }>,
): void {
  const { receiving } = node;
  if (receiving === null || node.role !== 'follower' || !isSame(receiving.header, stored)) return;
  const { header, size } = receiving;
  if (isCovered(node, header)) return acknowledgeCovered(node, header);
  if (stored.offset < size) return answer(node, header.index, stored.offset, true);
  node.receiving = null;
  node.installing = header;
  const { index, term } = header;
  node.out.trace({ kind: 'snapshotInstalling', index, term });
  node.out.snapshot({ kind: 'install', header, keepSuffix: false });
}

export function snapshotInstalled(node: RaftNode, place: Place): void {
  const header = takeInstalling(node, place);
  const { index, term } = header;
  node.out.trace({ kind: 'snapshotInstalled', index, term });
  node.restore(header);
  if (node.leader !== null) acknowledge(node, node.leader, index);
}

export function snapshotRejected(node: RaftNode, place: Place): void {
  const { index, term } = takeInstalling(node, place);
  node.out.trace({ kind: 'snapshotRejected', index, term });
  answer(node, index, 0, false);
}

function takeInstalling(node: RaftNode, place: Place): SnapshotHeader {
  const header = node.installing;
  assert(header !== null && isSame(header, place), `no snapshot at ${place.index} is installing`);
  node.installing = null;
  return header;
}

function isSame(header: SnapshotHeader, { index, term }: Place): boolean {
  return header.index === index && header.term === term;
}

function answer(node: RaftNode, index: number, offset: number, accepted: boolean): void {
  if (node.leader === null) return;
  const { id: from, term } = node;
  const response = {
    kind: 'installSnapshotResponse',
    from,
    term,
    index,
    offset,
    accepted,
  } as const;
  node.out.send(node.leader, marked(node, response));
}
