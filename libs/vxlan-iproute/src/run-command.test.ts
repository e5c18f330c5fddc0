// Commands through the small shell: they get what they were given and no more, whatever is in it.

import { describe, expect, it } from '@jest/globals';
import { CommandShell } from './command-shell';
import { runCommand } from './run-command';

describe('runCommand', () => {
  it('gives arguments and input as they are', async () => {
    const awkward = `a b'c"d$(echo x)\`echo y\`\\ ;|&<>*\n`;
    const { stdout } = await runCommand(['printf', '%s|', awkward, '', '-n'], '');
    expect(stdout).toBe(`${awkward}||-n|`);
    const input = `$HOME \`x\` 'y' \\\n\n\tlast\n`;
    expect(await runCommand(['cat'], input)).toEqual({ exitCode: 0, stdout: input, stderr: '' });
  });

  it('tells both outputs and the exit code', async () => {
    const script = 'echo out; echo err >&2; exit 3';
    const outcome = { exitCode: 3, stdout: 'out\n', stderr: 'err\n' };
    expect(await runCommand(['sh', '-c', script], '')).toEqual(outcome);
    const large = 'x'.repeat(100_000);
    expect(await runCommand(['cat'], large)).toMatchObject({ exitCode: 0, stdout: large });
    expect(await runCommand(['sh', '-c', 'head -c 300000 /dev/zero'], '')).toMatchObject({
      stdout: '\0'.repeat(300_000),
    });
  });

  it('does not mind a command that reads nothing, nor one that is not there', async () => {
    const input = 'y'.repeat(30_000);
    expect(await runCommand(['true'], input)).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await runCommand(['skein-no-such-program'], '')).toMatchObject({ exitCode: 127 });
    expect(await runCommand(['echo', 'after'], '')).toMatchObject({ stdout: 'after\n' });
  });

  it('runs many at once', async () => {
    const numbers = Array.from({ length: 12 }, (_, number) => String(number));
    const outcomes = await Promise.all(numbers.map((number) => runCommand(['cat'], number)));
    expect(outcomes.map(({ stdout }) => stdout.trim())).toEqual(numbers);
  });
});

describe('a command shell', () => {
  it('goes with a command that takes too long, and starts no other', async () => {
    const shell = new CommandShell();
    const { exitCode } = await shell.run(['sleep', '60'], '', 50);
    expect(exitCode).toBe(128);
    expect(shell.isOpen).toBe(false);
    expect(await shell.run(['true'], '', 50)).toMatchObject({ exitCode: 128 });
  });
});
