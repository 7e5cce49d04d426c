// A server with a gateway, and what its tests ask about children.

import assert from "node:assert/strict";
import type { LocalServer, ServerOptions } from "../../host/server/server.ts";
import type { Device } from "../../host/server/device.ts";
import { publish, type RawClient, rawLogin, start } from "./harness.ts";

export const telemetry = "v1/gateway/telemetry";
export const attributes = "v1/gateway/attributes";
export const gate = { name: "gate", token: "DEMO_TOKEN", isGateway: true };

export function startGateway(t: Parameters<typeof start>[0], options: ServerOptions = {}): Promise<LocalServer> {
  return start(t, { devices: [gate], ...options });
}

export function child(server: LocalServer, name: string): Device {
  const device = server.devices.byName(name);
  assert.ok(device, `no device ${name}`);
  return device;
}

export function latest(server: LocalServer, name: string): Record<string, unknown> {
  return Object.fromEntries([...child(server, name).latest].map(([key, { value }]) => [key, "text" in value ? value.text : value.value]));
}

/** A gateway over raw bytes that has named one child. */
export async function withChild(t: Parameters<typeof start>[0], server: LocalServer, version: 4 | 5 = 4): Promise<RawClient> {
  const client = await rawLogin(t, server, version);
  client.send(publish("v1/gateway/connect", '{"device":"Boiler 7"}', 1, 1));
  await client.expectBytes("40 02 00 01");
  client.packets.length = 0;
  return client;
}
