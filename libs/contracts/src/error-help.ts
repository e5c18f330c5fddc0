// Reads docs/errors.md, the home of each code's cause and remedy: a section `### code` with a line `Cause:` and a line
// `Remedy:`. It gets the text handed in; where the file lies is the caller's matter.

export interface ErrorHelp {
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
}

/** Every section that has both lines, in the order of the text. */
export function parseErrorHelp(markdown: string): ErrorHelp[] {
  const sections = markdown.split(/^### /m).slice(1);
  return sections.flatMap((section) => {
    const code = section.slice(0, section.indexOf('\n')).trim();
    const cause = lineAfter(section, 'Cause: ');
    const remedy = lineAfter(section, 'Remedy: ');
    return cause === undefined || remedy === undefined ? [] : [{ code, cause, remedy }];
  });
}

function lineAfter(section: string, label: string): string | undefined {
  const line = section.split('\n').find((each) => each.startsWith(label));
  return line?.slice(label.length).trim();
}
