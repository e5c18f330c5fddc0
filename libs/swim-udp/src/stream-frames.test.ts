// Frames survive any cutting of the stream, and a length beyond the limit is refused before it is collected.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FrameCollector, maxStreamFrameBytes, withLength } from './stream-frames';

describe('stream frames', () => {
  it('come out whole, however the stream was cut', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.integer({ min: 1, max: 9 }),
        (frame, size) => {
          const bytes = withLength(frame);
          const collector = new FrameCollector();
          for (let start = 0; start < bytes.length; start += size) {
            const got = collector.add(bytes.subarray(start, start + size));
            if (start + size < bytes.length) expect(got).toBeNull();
            else expect(Uint8Array.from(got as Buffer)).toEqual(frame);
          }
        },
      ),
    );
  });

  it('are refused by their length alone', () => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(maxStreamFrameBytes + 1, 0);
    expect(new FrameCollector().add(head)).toBe('tooLarge');
  });
});
