// Messages, events and traces as the text of scenarios. One line each, names instead of addresses. Tests only.

import type { SwimEvent, SwimTrace } from '../contract';
import type { Member } from '../member';
import type { SwimMessage } from '../message';

export function printMember(member: Member): string {
  return `${member.name}@${member.incarnation} ${member.state}`;
}

export function printMessage(message: SwimMessage): string {
  switch (message.kind) {
    case 'ping':
      return `ping#${message.seq}`;
    case 'pingReq':
      return `pingReq#${message.seq}(${message.target})`;
    case 'ack':
    case 'nack':
      return `${message.kind}#${message.seq}`;
    case 'alive':
      return `alive(${message.name}@${message.incarnation})`;
    case 'suspect':
    case 'dead':
      return `${message.kind}(${message.name}@${message.incarnation} by ${message.accuser})`;
    case 'pushPull':
      return `${message.phase}(${message.members.map(printMember).join(', ')})`;
  }
}

export function printEvent(event: SwimEvent): string {
  switch (event.kind) {
    case 'memberAlive':
      return `memberAlive ${printMember(event.member)} was ${event.previous}`;
    case 'memberSuspect':
    case 'memberDead':
      return `${event.kind} ${event.member.name}@${event.member.incarnation} by ${event.accuser}`;
    case 'memberLeft':
    case 'memberForgotten':
    case 'memberStreamOnly':
    case 'memberDatagramsPass':
      return `${event.kind} ${event.member.name}@${event.member.incarnation}`;
    case 'memberUpdated':
      return `memberUpdated ${event.member.name}@${event.member.incarnation} ${JSON.stringify(event.member.meta.tags)}`;
    case 'conflict':
      return `conflict ${event.name} held by ${event.holder} claimed by ${event.claimant}`;
    case 'refuted':
      return `refuted @${event.incarnation} accused by ${event.accuser}`;
    case 'localHealthChanged':
      return `localHealth ${event.score}`;
    case 'leaveSent':
      return 'leaveSent';
  }
}

export function printTrace(entry: SwimTrace): string {
  switch (entry.kind) {
    case 'probeSent':
      return `probe ${entry.target}`;
    case 'probeAcked':
      return `acked ${entry.target} ${entry.way} after ${Math.round(entry.rttMs)} ms`;
    case 'probeFailed':
      return `probe of ${entry.target} failed, nacks ${entry.nacks} of ${entry.expectedNacks}`;
    case 'indirectProbe':
      return `indirect probe of ${entry.target} by ${entry.helpers.join(', ') || 'nobody'}`;
    case 'confirmed':
      return `confirmed ${entry.name} by ${entry.accuser}, ${entry.confirmations}, timeout ${Math.round(entry.timeoutMs)} ms`;
    case 'ignored':
      return `ignored ${entry.what} of ${entry.name}: ${entry.reason}`;
    case 'downgraded':
      return `downgraded dead ${entry.name} of ${entry.source} to suspect`;
    case 'stalled':
      return `stalled ${Math.round(entry.lateMs)} ms`;
  }
}
