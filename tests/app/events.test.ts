// What an app hears of its client's life beyond what it asked for: the link, subscriptions, limits, requests without an answer, and its children.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { Feature } from "../../build/generated/abi.ts";
import { GatewayClient } from "../../host/node/index.ts";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { behaviour, Site } from "../behaviour/harness.ts";
import { PATIENCE_MS } from "../behaviour/watch.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

/** Logs what it hears, and asks for an attribute as soon as there is a connection. */
const WITNESS = `
import { addText, beginMessage, EventKind, eventPayload, eventTopic, log, requestAttributes, text } from "${LIBRARY}";
${HEAD}
export function setup(): void {}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Refused) log(2, text("refused"));
  if (kind == EventKind.Disconnected) log(2, text("cut"));
  if (kind == EventKind.Subscribed) log(2, eventTopic());
  if (kind == EventKind.SessionLimits) log(2, eventPayload());
  if (kind == EventKind.RequestTimeout) log(2, text("no answer"));
  if (kind == EventKind.Connected) { beginMessage(); addText(text("sharedKeys"), text("rate")); requestAttributes(50); }
}
`;

/** Publishes what it hears of children: a new rate, and the end of one. */
const GUARDIAN = `
import { EventKind, eventTopic, eventValue, findJson, foundJson, publish, text } from "${LIBRARY}";
${HEAD}
export function setup(): void {}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.ChildAttributes && findJson(eventValue(), text("rate")) > 0) publish(eventTopic(), foundJson());
  if (kind == EventKind.ChildDisconnected) publish(text("gone"), eventTopic());
}
`;

let witness = "";
let guardian = "";

before(async () => {
  witness = await compileToFile("witness", WITNESS);
  guardian = await compileToFile("guardian", GUARDIAN);
});

behaviour("what an app hears", Feature.Raw, (check) => {
  check("a refusal, a cut, what was subscribed to, the limits, and that nobody answered", async (t, engine) => {
    const site = await Site.open(t, { rateLimits: { device: { messages: "90:60" } } });
    site.server.faults.refuseConnect(1, 3);
    site.server.faults.dropResponse(1);
    // The C programs go on trying without being told to.
    const device = new AppDevice(t, engine, witness, site.port, {}, engine === "v8" ? ["--retry"] : []);
    const heard = async (wanted: string): Promise<string> => {
      for (let count = 1; ; count++) {
        const found = (await device.shows("Log", count)).map(({ line }) => String(line)).find((line) => line.includes(wanted));
        if (found !== undefined) return found;
      }
    };
    await heard("refused");
    for (const topic of ["v1/devices/me/attributes", "v1/devices/me/attributes/response/+", "v1/devices/me/rpc/request/+"]) await heard(topic);
    assert.equal((JSON.parse(await heard("{")) as { rateLimits: { messages: string } }).rateLimits.messages, "90:60");
    await heard("no answer");
    site.server.faults.killSessions();
    await heard("cut");
  });
});

describe("what an app of a gateway hears", { concurrency: true }, () => {
  for (const engine of ["v8", "wasm3"]) {
    test(`${engine}: a new attribute of a child, by its key, and the end of a child`, { timeout: 3 * PATIENCE_MS }, async (t) => {
      const broker = await BareBroker.open(t);
      const configuration = { session_limits: false, rpc: false, shared_attributes: false };
      if (engine === "v8") {
        const client = new GatewayClient({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, ...configuration });
        t.after(() => client.stop());
        client.runApp(readFileSync(guardian));
        await client.connect();
      } else {
        new AppDevice(t, engine, guardian, broker.port, configuration, ["--profile", "gateway"]);
      }
      const link = await broker.link();
      await link.packet("subscribe", 3);
      const tell = (topic: string, payload: string): void => link.send({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false });
      tell("v1/gateway/attributes", '{"device":"Boiler 7","data":{"mode":"eco"}}');
      tell("v1/gateway/attributes", '{"device":"Boiler 7","data":{"mode":"x","rate":45}}');
      tell("v1/gateway/disconnect", '{"device":"Boiler 7","reason":150}');
      await link.packet("publish", 2);
      assert.deepEqual(link.of("publish").map(({ topic: to, payload }) => [to, payload.toString()]), [["Boiler 7", "45"], ["gone", "Boiler 7"]]);
    });
  }
});
