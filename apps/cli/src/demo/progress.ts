// Progress that people watch on standard error: a spinner and its detail on a terminal, a line a step elsewhere.

import pc from 'picocolors';

export interface Task {
  detail(text: string): void;
  succeed(observed: string): void;
  fail(reason: string): void;
}

export interface Progress {
  begin(title: string): Task;
  note(text: string): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export function createProgress(output: NodeJS.WriteStream = process.stderr): Progress {
  const isTerminal = output.isTTY === true;
  const colors = pc.createColors(isTerminal && pc.isColorSupported);
  const clear = () => (isTerminal ? '\r\x1b[K' : '');

  return {
    note: (text) => output.write(`${clear()}  ${colors.dim(text)}\n`),
    begin(title) {
      const started = performance.now();
      let detail = '';
      let frame = 0;
      const draw = () => {
        const line = `${frames[frame++ % frames.length]} ${title}${detail === '' ? '' : `: ${detail}`}`;
        output.write(`${clear()}${line.slice(0, (output.columns ?? 100) - 1)}`);
      };
      const timer = isTerminal ? setInterval(draw, 80) : null;
      timer?.unref();
      const end = (mark: string, text: string) => {
        if (timer !== null) clearInterval(timer);
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        output.write(
          `${clear()}${mark} ${colors.bold(title)} ${colors.dim(`${seconds} s`)}\n    ${text}\n`,
        );
      };
      return {
        detail: (text) => void (detail = text),
        succeed: (observed) => end(colors.green('✔'), observed),
        fail: (reason) => end(colors.red('✘'), colors.red(reason)),
      };
    },
  };
}
