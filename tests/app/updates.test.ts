// Updates that an app starts, stops and takes, against the local server.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before } from "node:test";
import { Feature, Status } from "../../build/generated/abi.ts";
import { plainValue } from "../../host/server/values.ts";
import { behaviour, folder, Site } from "../behaviour/harness.ts";
import { PATIENCE_MS } from "../behaviour/watch.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

/** Stops the first package, vetoes it the second time and takes it the third time. */
const UPDATER = `
import { addInteger, addText, applyOta, beginMessage, equals, eventId, EventKind, eventName, eventOffset, OtaKind, sendAttributes, sendRpcReply, startOta, stopOta, text } from "${LIBRARY}";
${HEAD}
let seen: i32 = 0;
let writtenBytes: i32 = 0;
export function setup(): void {}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.RpcRequest) {
    let result: i32 = 1;
    if (equals(eventName(), text("start"))) result = startOta(OtaKind.Firmware);
    if (equals(eventName(), text("startSoftware"))) result = startOta(OtaKind.Software);
    if (equals(eventName(), text("stop"))) result = stopOta(OtaKind.Firmware);
    if (equals(eventName(), text("apply"))) result = applyOta(OtaKind.Firmware, 1);
    beginMessage(); addInteger(text("result"), result); sendRpcReply(eventId());
  }
  if (kind == EventKind.OtaAvailable && ++seen == 1) stopOta(eventId());
  if (kind == EventKind.OtaProgress) writtenBytes = eventOffset();
  if (kind == EventKind.OtaReady) applyOta(eventId(), <i32>(seen == 3));
  if (kind == EventKind.OtaFailed || kind == EventKind.OtaApplied) {
    beginMessage(); addText(kind == EventKind.OtaApplied ? text("applied") : seen == 1 ? text("stopped") : text("refused"), eventName()); addInteger(text("writtenBytes"), writtenBytes); sendAttributes();
  }
}
`;

let updater = "";

before(async () => {
  updater = await compileToFile("updater", UPDATER);
});

behaviour("updates by an app", Feature.Ota, (check) => {
  check("an app stops a package, vetoes it, and takes it", async (t, engine) => {
    const site = await Site.open(t);
    const { server, device } = site;
    const states: unknown[] = [];
    server.events.on("telemetry", ({ key, value }) => { if (key === "fw_state" || key === "fw_error") states.push(plainValue(value)); });
    const byServer = ["QUEUED", "INITIATED"];
    const running = new AppDevice(t, engine, updater, site.port, {
      firmware_title: "app", firmware_version: "1", receive_buffer: 1024, send_buffer: 2048, host: { store_directory: folder(t) },
    });
    await running.shows("Connected");
    await site.until("the subscription to RPC", () => device.session?.isSubscribedToRpc === true);
    const ask = async (method: string): Promise<number> => {
      const { text } = await site.rest("POST", "/api/rpc/twoway/{id}", { method, params: {}, timeout: PATIENCE_MS });
      return (JSON.parse(text) as { result: number }).result;
    };
    const attribute = (key: string, wanted: string): Promise<true> => site.until(`${key} ${wanted}`, () => {
      const found = device.attributes.CLIENT_SCOPE.get(key);
      return found !== undefined && plainValue(found.value) === wanted;
    });
    assert.equal(await ask("start"), Status.Ok, "there is no package");
    assert.deepEqual([await ask("stop"), await ask("apply"), await ask("startSoftware")], [Status.BadState, Status.BadState, Status.BadState]);

    const added = server.packages.add({ type: "FIRMWARE", title: "app", version: "2", tag: null, url: null });
    server.packages.upload(added, randomBytes(3000), "SHA256");
    server.assignPackage(device, "FIRMWARE", added);
    await attribute("stopped", "vetoed");
    assert.equal(await ask("start"), Status.Ok);
    await attribute("refused", "vetoed");
    assert.equal(await ask("start"), Status.Ok);
    await attribute("applied", "app");
    assert.equal(plainValue(device.attributes.CLIENT_SCOPE.get("writtenBytes")!.value), 3000);
    await site.until("the last state", () => states.at(-1) === "UPDATING");
    const download = ["DOWNLOADING", "DOWNLOADED", "VERIFIED"];
    assert.deepEqual(states.filter((state) => !byServer.includes(state as string)), ["FAILED", "vetoed", ...download, "FAILED", "vetoed", ...download, "UPDATING"]);
    assert.equal(running.of("AppFailed").length, 0);
  });
});
