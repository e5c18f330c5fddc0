import { describe, expect, it } from '@jest/globals';
import { searchPath } from './programs';

describe('where programs of a local cluster are looked for', () => {
  it('holds the folders of ip and bridge even where PATH of a person without root does not', () => {
    const folders = searchPath('/clone', '/usr/local/bin:/usr/bin:/bin').split(':');
    expect(folders.slice(0, 3)).toEqual(['/usr/local/bin', '/usr/bin', '/bin']);
    expect(folders).toContain('/usr/sbin');
    expect(folders).toContain('/clone/.skein/tools/iproute2/sbin');
    expect(new Set(folders).size).toBe(folders.length);
  });
});
