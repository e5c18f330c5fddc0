// What a run measured, as one line of JSON for people and for `skein verify`.

export function tellFigures(of: string, figures: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify({ figures: of, ...figures })}\n`);
}
