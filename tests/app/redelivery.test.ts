// A message that an app does not accept.

import assert from "node:assert/strict";
import { before } from "node:test";
import { Feature } from "../../build/generated/abi.ts";
import { behaviour } from "../behaviour/harness.ts";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

/** Accepts a message only when it comes again. */
const CHOOSER = `
import { EventFlag, eventFlags, EventKind, log, releaseEvent, Release, Status, subscribe, text } from "${LIBRARY}";
${HEAD}
export function setup(): void { subscribe(text("in/#")); }
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Message) releaseEvent(eventFlags() & EventFlag.Dup ? <i32>Release.Accepted : <i32>Release.NotAccepted);
  if (kind == EventKind.Connected && releaseEvent(1) == Status.BadState) log(2, text("nothing is lent"));
}
`;

let chooser = "";

before(async () => {
  chooser = await compileToFile("chooser", CHOOSER);
});

behaviour("messages that an app does not accept", Feature.Raw, (check) => {
  check("with redeliver the server sends them again, and no later one is acknowledged before", async (t, engine) => {
    const broker = await BareBroker.open(t);
    const device = new AppDevice(t, engine, chooser, broker.port, { rpc: false, shared_attributes: false, session_limits: false, redeliver: true });
    const send = (link: Awaited<ReturnType<typeof broker.link>>, dup: boolean): void => link.send(
      { cmd: "publish", topic: "in/a", payload: "1", qos: 1, messageId: 1, dup, retain: false },
      { cmd: "publish", topic: "in/b", payload: "2", qos: 1, messageId: 2, dup, retain: false },
    );
    const link = await broker.link(1);
    await link.packet("subscribe");
    send(link, false);
    await link.closed();
    assert.deepEqual(link.of("puback"), []);
    const second = await broker.link(2);
    await second.packet("subscribe");
    send(second, true);
    await second.packet("puback", 2);
    assert.deepEqual(second.of("puback").map(({ messageId }) => messageId), [1, 2]);
    await device.shows("Disconnected");
    assert.deepEqual([device.of("Disconnected")[0]!["reason"], device.of("Log")[0]!["line"]], ["Redelivery", "nothing is lent"]);
  });
});
