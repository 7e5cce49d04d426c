// Reads from what a test program printed how many tests passed and failed.

export interface Count { passed: number; failed: number }

/** How a program tells its count. */
export type Format = "summary" | "tap" | "aspect" | "exit";

/** What is counted must also be true of the exit code: a program that crashes, or counts nothing, has failed once. */
export function countTests(format: Format, output: string, exitCode: number | null): Count {
  const plain = output.replace(/\u001b\[[0-9;]*m/g, "");
  const count = READERS[format](plain, exitCode);
  const ended = exitCode === 0;
  if (count.passed + count.failed === 0 || (!ended && count.failed === 0)) return { passed: count.passed, failed: count.failed + 1 };
  return count;
}

const READERS: Record<Format, (text: string, exitCode: number | null) => Count> = {
  /** The last line `N passed, N failed`. */
  summary(text) {
    const last = [...text.matchAll(/^(\d+) passed, (\d+) failed\s*$/gm)].at(-1);
    return { passed: Number(last?.[1] ?? 0), failed: Number(last?.[2] ?? 0) };
  },
  /** The totals that node's reporter writes at the end; cancelled tests have not passed, skipped ones do not count. */
  tap(text) {
    const total = (name: string): number => Number([...text.matchAll(new RegExp(`^# ${name} (\\d+)$`, "gm"))].at(-1)?.[1] ?? 0);
    return { passed: total("pass"), failed: total("fail") + total("cancelled") };
  },
  /** `[Tests]: passed / all`. */
  aspect(text) {
    const found = /\[Tests\]: (\d+) \/ (\d+)/.exec(text);
    return { passed: Number(found?.[1] ?? 0), failed: Number(found?.[2] ?? 0) - Number(found?.[1] ?? 0) };
  },
  exit(_, exitCode) {
    return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  },
};

/** The failed tests of a TAP text with what is said of them. */
export function tapFailures(text: string): string[] {
  const failures: string[] = [];
  const lines = text.split("\n");
  lines.forEach((line, at) => {
    if (!/^\s*not ok /.test(line)) return;
    const indent = /^\s*/.exec(line)![0].length;
    const end = lines.findIndex((each, index) => index > at && /^\s*\.\.\.$/.test(each) && each.search(/\S/) === indent + 2);
    const details = lines.slice(at + 1, end < 0 ? at + 1 : end);
    // A suite fails because of its tests, which are told on their own.
    if (details.some((each) => /subtestsFailed/.test(each))) return;
    const message = details.filter((each) => !/^\s*(---|duration_ms|type|location|failureType|code|name|stack|expected|actual|operator):?/.test(each)).slice(0, 24);
    failures.push([line.trim(), ...message].join("\n"));
  });
  return failures;
}
