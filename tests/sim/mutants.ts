// Broken variants of the module, which the oracles must catch: each is the module's own source with one passage changed.

import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import "../../host/tools/plain-packages.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Mutant {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  ack: {
    what: "a message leaves the outbox when it is sent, before its PUBACK",
    file: "assembly/client/outbox.ts", from: "  setMark(record, idOf(record) ? Mark.Sent : Mark.Free);\n", to: "  setMark(record, Mark.Free);\n",
  },
  resend: {
    what: "what was in flight when a session ended is not sent again",
    file: "assembly/client/outbox.ts", from: "(Mark.Message - Mark.Sent + 0x100)", to: "(Mark.Free - Mark.Sent + 0x100)",
  },
  subscriptions: {
    what: "subscriptions are not asserted in the next session",
    file: "assembly/client/outbox.ts", from: "  if (FEATURE_RAW) hasRequests = 1;\n", to: "",
  },
  acknowledge_timeout: {
    what: "a missing acknowledgement is waited for without end",
    file: "assembly/client/connection.ts", from: "  if (isLate) return Status.AcknowledgeTimeout;\n", to: "",
  },
  connect_timeout: {
    what: "an attempt to connect has no deadline",
    file: "assembly/client/connection.ts", from: "  if (isDue(Timer.Link)) return Status.ConnectTimeout + State.Opening - state;\n", to: "",
  },
  request_timeout: {
    what: "a request that gets no answer is forgotten",
    file: "assembly/thingsboard/requests.ts", from: "  return raise(EventKind.RequestTimeout, id, Status.Timeout);\n", to: "  return EventKind.None;\n",
  },
  busy: {
    what: "the client asks to be polled at once for ever",
    file: "assembly/client/connection.ts", from: "  readClock();\n  again = 0;\n", to: "  readClock();\n  again = AT_ONCE;\n",
  },
  backoff: {
    what: "the ceiling of the backoff is not kept",
    file: "assembly/client/backoff.ts", from: "  ceilingMs = min<u32>(ceilingMs * 2, setting(Setting.ReconnectMaxMs));\n", to: "  ceilingMs = ceilingMs * 8;\n",
  },
  buffer: {
    what: "the outbox reaches beyond the memory that was given",
    file: "assembly/client/outbox.ts", from: "  end = base + size;\n", to: "  end = base + size + 16384;\n",
  },
  packet_id: {
    what: "packet ids are used twice",
    file: "assembly/client/outbox.ts", from: "    if (id) lastMessageId = id;\n", to: "",
  },
};

/** What is wrong with the passages that the variants change: each must stand in its file exactly once. */
export function checkPassages(read: (file: string) => string): string[] {
  return Object.values(MUTANTS).filter(({ file, from }) => read(file).split(from).length !== 2).map(({ file, from }) => `${file} has not exactly one ${JSON.stringify(from)}`);
}

/** Compiles the profile `device` with the mutant's passage; throws when the passage is not in the source any more. */
export async function mutate(name: string): Promise<Uint8Array> {
  const mutant = MUTANTS[name]!;
  // The compiler takes longer to load than a hundred lives.
  const { default: asc } = await import("assemblyscript/asc");
  let isApplied = false;
  let binary: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    ["assembly/profiles/device.ts", "--target", "device", "--transform", "./assembly/literals.mjs", "--transform", "./assembly/offsets.mjs", "--transform", "./assembly/apart.mjs", "--baseDir", ROOT, "--outFile", "device.wasm", "--textFile", "device.wat",
      // It lives the same lives as when it is optimised, which takes three times as long.
      "--optimizeLevel", "0", "--shrinkLevel", "0"],
    {
      readFile(file, folder) {
        const path = join(folder, file);
        let text: string;
        try {
          text = readFileSync(path, "utf8");
        } catch {
          return null;
        }
        if (relative(ROOT, path) !== mutant.file) return text;
        if (text.split(mutant.from).length !== 2) throw new Error(`${mutant.file} has not exactly one ${JSON.stringify(mutant.from)}`);
        isApplied = true;
        return text.replace(mutant.from, mutant.to);
      },
      writeFile(file, contents) {
        if (file.endsWith(".wasm")) binary = contents as Uint8Array;
      },
    },
  );
  if (error !== null || binary === null || !isApplied) throw new Error(`the mutant ${name} was not built: ${error?.message ?? ""}\n${stderr.toString()}`);
  return binary;
}
