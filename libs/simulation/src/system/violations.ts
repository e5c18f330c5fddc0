// What was found to be broken, with the promise that it breaks. It must not know how it was found.

export const systemRules = [
  'P1',
  'P2',
  'P3',
  'P4',
  'P5',
  'P6',
  'P7',
  'audit',
  'liveness',
  'assertion',
] as const;
export type SystemRule = (typeof systemRules)[number];

export interface SystemViolation {
  readonly atMs: number;
  readonly rule: SystemRule;
  readonly message: string;
}

const maxViolations = 20;

export class Violations {
  readonly list: SystemViolation[] = [];

  constructor(private readonly nowMs: () => number) {}

  get isClean(): boolean {
    return this.list.length === 0;
  }

  report(rule: SystemRule, message: string): void {
    if (this.list.length >= maxViolations) return;
    this.list.push({ atMs: Math.round(this.nowMs()), rule, message });
  }
}
