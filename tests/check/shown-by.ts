// Finds what a test shows of each face: its own lines, the helpers that they use, and the programs that they run, without comments.

import { withoutComments, type Sources } from "./sources.ts";

/** The text of a test in the language of each face; empty where it drives none of that face. */
export interface Shown {
  readonly c: string;
  readonly app: string;
  readonly node: string;
  /** The test itself: keys of configurations and names of events are the same on each face. */
  readonly itself: string;
}

interface Found { readonly path: string; readonly text: string }

const NOTHING: Shown = { c: "", app: "", node: "", itself: "" };
const VERBS = "tests/c/verbs.c";
const DRIVER = "tests/c/driver.c";

/** What the test of that title shows; null when the file has none of that title. */
export function shownBy(path: string, title: string, sources: Sources): Shown | null {
  const whole = sources.get(path) ?? "";
  if (path.endsWith(".md")) {
    const section = new RegExp(`^## ${escaped(title)}\\n[^]*?(?=^## |(?![^]))`, "m").exec(whole);
    return section && { ...NOTHING, c: eventsInC(section[0]), itself: section[0] };
  }
  const body = bodyOf(path, whole, title);
  if (body === null) return null;
  const itself = textOf(withHelpers({ path, text: body }, sources));
  if (path.endsWith(".c")) return { ...NOTHING, c: itself, itself };
  if (path.startsWith("tests/faces/")) return { ...examplesOf(itself, sources), itself };
  // On V8 this suite drives the module beneath the Node client.
  if (path.startsWith("tests/behaviour/")) return { ...NOTHING, c: [eventsInC(itself), ...commandsOf(itself).map((command) => inC(command, sources))].join("\n"), itself };
  if (path.startsWith("tests/app/")) return { ...NOTHING, app: itself, itself };
  return { ...NOTHING, node: itself, itself };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const textOf = (parts: readonly Found[]): string => parts.map(({ text }) => withoutComments(text)).join("\n");
const wordsOf = (text: string): Set<string> => new Set(text.match(/\w+/g));

/** From the line of the title to the end of its block. */
function bodyOf(path: string, whole: string, title: string): string | null {
  const lines = whole.split("\n");
  // A title may begin with the engine that it is for.
  const head = path.endsWith(".c") ? new RegExp(`^static void ${escaped(title)}\\(.*\\{$`) : new RegExp(`^\\s*(?:for .*\\) )?(?:test|check|scene)\\(["\`](?:\\$\\{\\w+\\}: )?${escaped(title)}["\`],`);
  const first = lines.findIndex((line) => head.test(line));
  if (first < 0) return null;
  return block(lines.slice(first));
}

/** The lines until one that stands as far to the left as the first and closes it. */
function block(lines: readonly string[]): string {
  const [head = ""] = lines;
  if (/[;}]$/.test(head)) return head;
  const left = /^\s*/.exec(head)![0];
  const isText = (head.match(/`/g)?.length ?? 0) % 2 === 1;
  const end = lines.findIndex((line, index) => index > 0 && (isText ? line.startsWith("`") : new RegExp(`^${left}[)}\\]]`).test(line) && /[;}]$/.test(line)));
  return lines.slice(0, end + 1).join("\n");
}

/** With the functions and constants that it names, those that these name, and so on. */
function withHelpers(first: Found, sources: Sources): Found[] {
  // What a C program hears, it hears by this function, whoever set it.
  const found = [first, ...(first.path.endsWith(".c") ? declarationsOf("on_event", first.path, sources) : [])];
  const seen = new Set<string>();
  for (const part of found) {
    for (const word of wordsOf(withoutComments(part.text).replace(/"(?:\\.|[^"\\\n])*"|\.\w+/g, ""))) {
      for (const helper of declarationsOf(word, part.path, sources)) {
        if (seen.has(`${helper.path} ${word}`)) continue;
        seen.add(`${helper.path} ${word}`);
        found.push(helper);
      }
    }
  }
  return found;
}

/** A function, class or constant of the file, what is assigned to it, or what the harness of behaviour has by that name. */
function declarationsOf(name: string, path: string, sources: Sources): Found[] {
  const text = sources.get(path) ?? "";
  const isC = path.endsWith(".c");
  const head = new RegExp(isC ? `^static [^=;\\n]*\\b${name}(?:\\(|\\[| = ).*[{;]$` : `^(?:export )?(?:abstract )?(?:async )?(?:function|class|const|let) ${name}\\b`, "gm");
  // Not within the text of an app.
  const match = [...text.matchAll(head)].find(({ index }) => (text.slice(0, index).match(/`/g)?.length ?? 0) % 2 === 0);
  if (match === undefined) {
    const harness = "tests/behaviour/harness.ts";
    const isImported = path.startsWith("tests/behaviour/") && path !== harness && new RegExp(`^import .*\\b${name}\\b.* from "./harness.ts"`, "m").test(text);
    return isImported ? declarationsOf(name, harness, sources) : [];
  }
  if (isC && / (?:run|main|verb_run)\(/.test(match[0])) return [];
  const assigned = isC ? [] : [...text.matchAll(new RegExp(`^ +${name} = .*;$`, "gm"))].map(([line]) => line);
  return [{ path, text: [block(text.slice(match.index).split("\n")), ...assigned].join("\n") }];
}

/** The programs of a scene in the language of each face, with what they share. */
function examplesOf(scene: string, sources: Sources): Pick<Shown, "c" | "app" | "node"> {
  const names = [...scene.matchAll(/\b(?:whole|run)\("([\w-]+)"/g)].map(([, name]) => name!);
  const read = (...paths: string[]): string => textOf(paths.map((path) => ({ path, text: sources.get(path) ?? "" })));
  const examples = "boards/posix/examples";
  return {
    c: read(`${examples}/example.c`, ...names.map((name) => `${examples}/${name}.c`)),
    app: read(...names.map((name) => `assembly/apps/${name}.ts`)),
    node: read(`${examples}/example.ts`, ...names.map((name) => `${examples}/${name}.ts`)),
  };
}

/** The C programs write events by their names, which tests and vectors wait for. */
const eventsInC = (text: string): string => (text.match(/\b[A-Z][a-z]\w+/g) ?? []).map((name) => `MOTE_EVENT_${screaming(name)}`).join(" ");
export const screaming = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();

const commandsOf = (text: string): string[] => [...text.matchAll(/\b(?:run|ask)\(\s*"(\w+)"/g)].map(([, command]) => command!);

/** What the C programs of the tests do at a command. */
function inC(command: string, sources: Sources): string {
  return [VERBS, DRIVER].flatMap((path) => {
    const branch = new RegExp(`strcmp\\(verb, "${command}"\\) == 0\\)[^]*?(?=\\n *(?:\\} )?else |\\n\\})`).exec(sources.get(path) ?? "");
    return branch === null ? [] : [textOf(withHelpers({ path, text: branch[0] }, sources))];
  }).join("\n");
}
