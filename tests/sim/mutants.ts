// Broken variants of the module, which the oracles must catch: each is the module's own source with one passage changed.

import { compileBroken, type Passage } from "../broken-module.ts";
import type { Kind } from "./kinds.ts";
import type { Modules } from "./world.ts";

interface Mutant extends Passage {
  /** Whose lives it lives; `device` when it says nothing. */
  readonly kind?: Kind;
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
    file: "assembly/client/outbox.ts", from: "  end = carved;\n", to: "  end = carved + 16384;\n",
  },
  children_forgotten: {
    what: "children are not announced in the next session",
    kind: "gateway", file: "assembly/thingsboard/gateway/children.ts", from: "  if (isBeginning || isDue(Timer.Children)) {\n", to: "  if (isDue(Timer.Children)) {\n",
  },
  children_kept: {
    what: "a child that was disconnected is announced again",
    kind: "gateway", file: "assembly/thingsboard/gateway/children.ts", from: "  if (known) remove(known);\n", to: "  if (known && isConnected) remove(known);\n",
  },
  children_room: {
    what: "the table of children takes more than it has room for",
    kind: "gateway", file: "assembly/thingsboard/gateway/children.ts", from: "    if (tail - base + needed - left > room || size > 0xffff) {\n", to: "    if (needed > room) {\n",
  },
  children_unpaced: {
    what: "what is sent for children is not paced",
    kind: "gateway", file: "assembly/client/sending.ts", from: "    if (waitMs) return waitMs;\n", to: "",
  },
  children_early: {
    what: "what is sent for children does not wait for the limits",
    kind: "gateway", file: "assembly/client/outbox.ts", from: "      if (isForChildren(record) && isRequest(first) & setting(Setting.SessionLimits)) return 0;\n", to: "",
  },
  children_known: {
    what: "children of the session before are taken for known",
    kind: "gateway", file: "assembly/client/connection.ts", from: "    if (FEATURE_GATEWAY) forgetChildren();\n", to: "",
  },
  children_ended: {
    what: "children that were disconnected are taken for known",
    kind: "gateway", file: "assembly/client/outbox-record.ts", from: "leaves << <i32>(kind == ForChildren.Disconnect)", to: "leaves",
  },
  minimal_deadline: {
    what: "what is in flight has no deadline once the outbox was moved together",
    kind: "minimal", file: "assembly/client/outbox.ts", from: "  else setDeadline(Timer.Acknowledge, deadline);\n", to: "  else setDeadline(Timer.Acknowledge, 0);\n",
  },
  minimal_deadline_late: {
    what: "what is in flight gets the deadline of what was sent last",
    kind: "minimal", file: "assembly/client/outbox.ts", from: "<i32>!deadline & <i32>(markOf(record) == Mark.Sent)", to: "<i32>(markOf(record) == Mark.Sent)",
  },
  minimal_moved: {
    what: "the outbox is moved together while one of its packets is on its way",
    kind: "minimal", file: "assembly/client/connection.ts", from: "outbox.compact(!isSending())", to: "outbox.compact(true)",
  },
  minimal_lent: {
    what: "a message that is set aside is taken out while its event lends it",
    kind: "minimal", file: "assembly/client/connection.ts", from: "if (!FEATURE_FAST && kind != EventKind.MessageRejected)", to: "if (!FEATURE_FAST)",
  },
  minimal_subscription: {
    what: "the SUBACK that a session begins with is not waited for",
    kind: "minimal", file: "assembly/client/connection.ts", from: "      if (!FEATURE_RAW) awaitAnswer(SUBACK_TIMER);\n", to: "",
  },
  packet_id: {
    what: "packet ids are used twice",
    file: "assembly/client/outbox.ts", from: "    if (id) lastMessageId = id;\n", to: "",
  },
};

/** Compiles the mutant's profile with its passage. */
export async function mutate(name: string): Promise<Modules> {
  const mutant = MUTANTS[name]!;
  const { kind = "device" } = mutant;
  return { [kind]: await compileBroken(kind, mutant) };
}
