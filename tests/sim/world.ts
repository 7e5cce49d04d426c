// One simulated life of a device: a stormy part, a calm part, and what must be true then.

import { EventKind } from "../../build/generated/abi.ts";
import type { ModuleEvent } from "../../host/node/event-record.ts";
import type { ClientModule } from "../../host/node/module.ts";
import { Application } from "./application.ts";
import { Device } from "./device.ts";
import { DeviceApplication } from "./device-application.ts";
import { GatewayApplication } from "./gateway-application.ts";
import { Gateway } from "./gateway.ts";
import { gatewaySettings, kindOf, LIMITED_RESTART_MS, limitsOf, minimalSettings, ownFilters, type Kind } from "./kinds.ts";
import { Ledger } from "./ledger.ts";
import { Network } from "./network.ts";
import { judge, judgeChildren, judgeCounters, judgeSession } from "./oracles.ts";
import { PROVISION_BODY, TOKEN } from "./provisioning.ts";
import { Random } from "./random.ts";
import { Schedule } from "./schedule.ts";
import { Server } from "./server.ts";
import { Flash, ImageSlot } from "./storage.ts";

const STORM_MS = 8 * 60_000;
export const BACKOFF_CAP_MS = 20_000;
export const CONNECT_TIMEOUT_MS = 10_000;
const WATCH_MS = 5000;
/** How long everything may take to come to rest: requests run for at most 30 s, health and acknowledgements are shorter. */
const CALM_MS = 4 * 60_000;
const APPLICATIONS = { minimal: Application, device: DeviceApplication, gateway: GatewayApplication };

export interface Outcome {
  readonly faults: readonly string[];
  readonly reconnects: number;
  readonly trace: readonly string[];
}

export interface Options {
  /** Keeps the lines of the trace, which cost time. */
  readonly isTraced?: boolean;
}

/** The module of each kind of life; where there is one alone, all lives are of that kind. */
export type Modules = { readonly [Of in Kind]?: WebAssembly.Module };

/** Lives the life of one seed with the given modules; the same seed and modules give the same life. */
export function live(modules: Modules, seed: number, { isTraced = false }: Options = {}): Outcome {
  const decided = kindOf(seed);
  const kind = modules[decided] !== undefined ? decided : Object.keys(modules)[0] as Kind;
  const source = modules[kind]!;
  const random = new Random(seed);
  const schedule = new Schedule();
  const ledger = new Ledger();
  const lines: string[] = [];
  const faults: string[] = [];
  const trace = (line: string): void => { if (isTraced) lines.push(`${(schedule.nowMs / 1000).toFixed(3).padStart(9)}  ${line}`); };
  const onFault = (text: string): void => {
    if (!faults.includes(text)) faults.push(text);
    trace(`FAULT ${text}`);
  };

  const server = new Server(schedule, random.fork(), ledger, trace);
  const network = new Network(schedule, random.fork(), (line) => server.accept(line));
  let device: Device;
  const application = new APPLICATIONS[kind](schedule, random.fork(), ledger, trace, onFault, (action) => device.use(action));
  const deviceRandom = random.fork();
  const flash = new Flash(schedule, random.fork(), onFault);
  const slot = new ImageSlot(schedule, random.fork());
  let firmwareVersion = "1.0";
  let ownSettings: Readonly<Record<string, unknown>> = {};
  server.updates.isOn = kind !== "minimal";
  server.provisions = random.percent(30) && kind !== "minimal";
  const settings = {
    mqtt_host: "server.test", ...(server.provisions ? { provision: JSON.parse(PROVISION_BODY) as object } : { access_token: TOKEN }), clean_session: random.percent(50), client_id: "device",
    reconnect_min_ms: random.pick([100, 500, 1000]), reconnect_max_ms: BACKOFF_CAP_MS, connect_timeout_s: CONNECT_TIMEOUT_MS / 1000,
    healthy_s: 30, keep_alive_s: random.pick([0, 10, 30]), ack_timeout_s: 10, qos: 1, max_inflight: random.pick([1, 2, 16]),
    receive_buffer: random.pick([200, 512, 1024]), send_buffer: random.pick([700, 1024, 3000]), staging_buffer: 1024,
    redeliver: random.percent(50), max_requests: random.pick([1, 4]), ota_chunk_size: random.pick([0, 0, 100, 700]), ota_chunk_timeout_s: 5,
    session_limits: random.percent(50),
  };
  // Both halves of the clock wrap at some time in a device's life.
  const clockStartMs = random.pick([0n, 1n, 2n ** 31n - 60_000n, 2n ** 32n - 60_000n, 2n ** 32n * 3n - 200_000n]);
  if (kind === "gateway") {
    const limits = limitsOf(random);
    server.gateway = new Gateway(schedule, random.fork(), ledger, limits, server.faults);
    const gateway = gatewaySettings(random, server.gateway.isLimiting);
    ledger.childrenBuffer = gateway.children_buffer;
    ownSettings = gateway;
  } else if (kind === "minimal") {
    ownSettings = minimalSettings(random);
    ledger.poisonEvery = random.pick([0, 50]);
  }
  const filters = ownFilters(kind, ownSettings.rpc !== false);
  const boot = (): void => {
    const configuration = JSON.stringify({ ...settings, ...ownSettings, firmware_title: "pump", firmware_version: firmwareVersion });
    trace(`boots with ${configuration}`);
    device = new Device({
      schedule, random: deviceRandom, network, flash, slot, source, memoryBytes: 16_384, configuration, clockStartMs, trace, onFault,
      onEvent: (event: ModuleEvent, module: ClientModule) => {
        if (event.kind === EventKind.OtaApplied) restart(1000);
        else application.onEvent(event, module);
      },
      onPowerCut: () => restart(100),
    });
    device.use((module) => application.begin(module));
  };
  let isOff = false;
  const restart = (delayMs: number): void => {
    if (isOff) return;
    isOff = true;
    device.cutPower();
    application.restart();
    trace("restarts");
    schedule.after(server.gateway?.isLimiting === true ? LIMITED_RESTART_MS : delayMs, () => {
      const version = server.updates.versionOf(slot.committed);
      if (slot.boot()) firmwareVersion = version ?? firmwareVersion;
      isOff = false;
      boot();
    });
  };

  const every = (meanMs: number, dice: Random, action: () => void): void => {
    const again = (): void => schedule.after(dice.interval(meanMs), () => {
      if (schedule.nowMs >= STORM_MS) return;
      action();
      again();
    });
    again();
  };

  try {
    boot();
    every(1500, random.fork(), () => device.use((module) => application.act(module)));
    every(15_000, random.fork(), () => device.use((module) => application.comeBack(module)));
    every(4000, random.fork(), () => server.act());
    every(240_000, random.fork(), () => restart(100));
    if (kind === "gateway") schedule.every(WATCH_MS, () => judgeChildren(schedule, server, ledger, onFault));
    schedule.every(WATCH_MS, () => judgeSession(schedule, server, ledger, filters, onFault));
    schedule.run(STORM_MS + 200);

    trace("calm");
    server.calm();
    network.heal();
    flash.supply.isSteady = slot.supply.isSteady = true;
    device!.use((module) => application.comeBack(module));
    const calmMs = schedule.nowMs + (server.gateway?.isLimiting === true ? LIMITED_RESTART_MS : 0);
    judge({ schedule, server, ledger, device: () => device, onFault, ownFilters: filters, endMs: calmMs + CALM_MS, connectedByMs: calmMs + 2 * (BACKOFF_CAP_MS + CONNECT_TIMEOUT_MS) });
    if (kind === "minimal") judgeCounters(device!, ledger, onFault);
  } catch (error) {
    onFault(`${(error as Error).name}: ${(error as Error).message} ${String((error as Error).cause ?? "")}`);
  }
  return { faults: [...faults, ...server.faults], reconnects: ledger.reconnects, trace: lines };
}
