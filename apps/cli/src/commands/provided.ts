// Programs that only some commands need: on PATH, unpacked earlier, or unpacked now from Debian's package. Nothing on the machine changes.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SkeinError } from '@skein/contracts';

/** Path of the program; throws `unavailable` with what a person can do. */
export async function provided(name: string, home: string): Promise<string> {
  const script = join(home, 'tools', 'setup', 'provide.mjs');
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, name]);
    return stdout.trim();
  } catch (thrown) {
    const { stderr } = thrown as { stderr?: string };
    throw new SkeinError('unavailable', stderr?.trim() ?? String(thrown), { cause: thrown });
  }
}
