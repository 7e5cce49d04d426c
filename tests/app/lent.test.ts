// What the host lends to an app of an event: its texts in the client's memory, which json_find and json_text read without a copy.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Feature, JsonType, Status } from "../../build/generated/abi.ts";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { behaviour, Site } from "../behaviour/harness.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

/** Looks into every text of its events, and beside them, with a staging area that is too small for any of them. */
const READER = `
import { addInteger, addressOf, AppPublish, beginMessage, eventName, EventKind, eventPayload, eventTopic, eventValue, findJson, lengthOf, readDecimal, sendTelemetry, startTimer, subscribe, Text, text, textAt, unescape } from "${LIBRARY}";
${HEAD}
@lazy const ROOM: usize = memory.data(200);
let kept: Text = 0;
export function setup(): void { subscribe(text("\\"long/#")); }
function tell(what: Text, number: i64): void { beginMessage(); addInteger(what, number); sendTelemetry(AppPublish.Qos0); }
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.RpcRequest) {
    kept = eventPayload();
    tell(text("params"), readDecimal(eventValue(), text("last.deep"), 0, -1));
    tell(text("payload"), readDecimal(kept, text("params.last.deep"), 0, -1));
    tell(text("behind"), findJson(textAt(addressOf(kept), lengthOf(kept) + 1), text("method")));
    tell(text("before"), findJson(textAt(addressOf(kept) - 4, lengthOf(kept)), text("method")));
    startTimer(1);
  }
  if (kind == EventKind.AppTimer) tell(text("later"), findJson(kept, text("method")));
  if (kind == EventKind.Message) tell(text("topic"), findJson(eventTopic(), 0));
  if (kind == EventKind.OtaAvailable) { tell(text("name"), unescape(eventName(), ROOM, 200)); tell(text("value"), unescape(eventValue(), ROOM, 200)); }
}
`;

behaviour("what an event lends to an app", Feature.Raw, (check) => {
  check("its texts need no room in the staging area, but only as long as it is read, and nothing beside them", async (t, engine) => {
    const reader = await compileToFile("lent-reader", READER);
    const site = await Site.open(t);
    const running = new AppDevice(t, engine, reader, site.port, {
      staging_buffer: 64, send_buffer: 2048, receive_buffer: 2048, firmware_title: "app", firmware_version: "1",
    });
    await site.until("the subscription to RPC", () => site.device.session?.isSubscribedToRpc === true);
    await site.rest("POST", "/api/rpc/oneway/{id}", { method: "look", params: { text: "x".repeat(100), last: { deep: 7 } } });
    const { server, device } = site;
    const added = server.packages.add({ type: "FIRMWARE", title: 'a"'.repeat(30), version: 'b"'.repeat(30), tag: null, url: null });
    server.packages.upload(added, randomBytes(100), "SHA256");
    server.assignPackage(device, "FIRMWARE", added);
    await site.stored("params", "payload", "behind", "before", "later", "name", "value");
    assert.deepEqual(Object.fromEntries(site.telemetry), {
      ...Object.fromEntries([...site.telemetry].filter(([key]) => /fw_/.test(key))),
      params: 7, payload: 7, behind: Status.TooLarge, before: Status.TooLarge, later: Status.TooLarge, name: 60, value: 60,
    });
    assert.equal(running.of("AppFailed").length, 0);
  });

  check("so does a topic", async (t, engine) => {
    const broker = await BareBroker.open(t);
    new AppDevice(t, engine, await compileToFile("reader-of-topics", READER), broker.port, { rpc: false, shared_attributes: false, session_limits: false, staging_buffer: 64 });
    const link = await broker.link(1);
    await link.packet("subscribe");
    link.send({ cmd: "publish", topic: `"${"long/".repeat(30)}"`, payload: "", qos: 0, dup: false, retain: false });
    assert.deepEqual(JSON.parse((await link.packet("publish")).payload.toString()), { topic: JsonType.Text });
  });
});
