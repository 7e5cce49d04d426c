// What an app sends as one message is refused when the server said that it never takes so much; in parts it leaves.

import assert from "node:assert/strict";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { behaviour } from "../behaviour/harness.ts";
import { Feature, Status } from "../../build/generated/abi.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

const SPEAKER = `
import { addInteger, addText, AppPublish, beginMessage, errorText, EventKind, publish, sendAttributes, sendTelemetry, sendTelemetryInParts, text, textAt } from "${LIBRARY}";
${HEAD}
@lazy const WHAT: usize = memory.data(32);
export function setup(): void {}
function three(): void { beginMessage(); addInteger(text("a"), 1); addInteger(text("b"), 2); addInteger(text("c"), 3); }
function tell(what: i32): void { publish(text("told"), textAt(WHAT, what), AppPublish.Qos0); }
export function on_event(kind: i32, length: i32): void {
  if (kind != EventKind.SessionLimits) return;
  three();
  if (sendTelemetry() == ${Status.TooLarge}) tell(errorText(WHAT, 32));
  three();
  if (sendAttributes() == ${Status.TooLarge}) tell(errorText(WHAT, 32));
  three();
  sendTelemetryInParts(0, AppPublish.Qos0);
}
`;

behaviour("what an app sends whole", Feature.Raw, (check) => {
  check("is TooLarge by the name of the limit, and leaves in parts", async (t, engine) => {
    const app = await compileToFile("whole", SPEAKER);
    const broker = await BareBroker.open(t);
    new AppDevice(t, engine, app, broker.port, { rpc: false, shared_attributes: false, session_limits: true });
    const link = await broker.link(1);
    const question = await link.packet("publish");
    assert.match(question.payload.toString(), /getSessionLimits/);
    const payload = JSON.stringify({ maxPayloadSize: 65536, rateLimits: { messages: null, telemetryMessages: null, telemetryDataPoints: "2:1,1000:60" } });
    link.send({ cmd: "publish", topic: question.topic.replace("request", "response"), payload, qos: 0, dup: false, retain: false });
    await link.packet("publish", 5);
    const told = link.of("publish").slice(1).map((packet) => packet.payload.toString());
    assert.deepEqual(told, ["telemetryDataPoints", "telemetryDataPoints", '{"a":1,"b":2}', '{"c":3}']);
  });
});
