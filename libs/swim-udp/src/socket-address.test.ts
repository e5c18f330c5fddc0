// Addresses as text, there and back.

import { describe, expect, it } from '@jest/globals';
import { formatAddress, parseAddress } from './socket-address';

describe('socket address', () => {
  it.each(['10.0.0.1:7946', '[::1]:7946', '[fd00::1]:65535'])('%s comes back', (text) => {
    const address = parseAddress(text);
    expect(address === null ? null : formatAddress(address)).toBe(text);
  });

  it.each(['10.0.0.1', '10.0.0.1:0', '10.0.0.1:70000', '300.0.0.1:1', 'host:1', '::1:7946', ''])(
    '%p is none',
    (text) => expect(parseAddress(text)).toBeNull(),
  );
});
