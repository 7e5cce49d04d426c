// Broken variants of the module that hostile lives must notice: what they do wrong, no well-meant packet and no fitting argument shows.

import type { Passage } from "../broken-module.ts";
import type { Profile } from "./life.ts";

interface Mutant extends Passage {
  readonly profile: Profile;
}

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  connack: {
    what: "a CONNACK is taken before CONNECT has left", profile: "minimal",
    file: "assembly/client/packets.ts", from: " | isSending()) return Status.ProtocolError;\n", to: ") return Status.ProtocolError;\n",
  },
  member: {
    what: "a member may reach beyond its record", profile: "device",
    file: "assembly/json/write.ts", from: "        if (length > <u64>(end - text)) return Status.Malformed;\n", to: "",
  },
  utf8: {
    what: "text leaves as it is, UTF-8 or not", profile: "gateway",
    file: "assembly/json/write.ts", from: "  return isUtf8(text, length);\n", to: "  return true;\n",
  },
  arrived: {
    what: "an event lends bytes that have not arrived", profile: "device",
    file: "assembly/client/inbound.ts", from: "  const length = min<i32>(left, <i32>(filled - from));\n", to: "  const length = left;\n",
  },
  lent: {
    what: "what an event lends is overwritten before the next poll", profile: "device",
    file: "assembly/client/outbox.ts", from: "  const mayMove = !isSending & !lends;\n", to: "  const mayMove = !isSending;\n",
  },
};
