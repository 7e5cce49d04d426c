// `npm start`: builds what is missing, then runs the local server and a device, breaks their connection now and then, and shows that nothing is lost.
//
//   npm start -- [--engine wasm3|aot|v8] [--seconds N] [--port N] [--rest-port N]

import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { paint as colors } from "../cli/paint.ts";
import { startDemo, type DemoDevice, type DemoEvent } from "../cli/demo.ts";
import { interrupted, type CommandError } from "../cli/exit.ts";
import { startNative } from "../cli/native.ts";
import { eventLine } from "../cli/print.ts";
import { wholeNumber } from "../cli/whole-number.ts";
import { demoDevice, startServer, type LocalServer } from "../server/server.ts";
import { valueText } from "../server/values.ts";
import { build } from "./build.ts";
import { liveView } from "./live-view.ts";
import { ensurePackages } from "./setup.ts";
import { Tally } from "./tally.ts";

interface Options {
  readonly engine: "wasm3" | "aot" | "v8";
  readonly seconds?: number;
  readonly port: number;
  readonly restPort: number;
}

const RPC_INTERVAL_MS = 3000;
const CUT_INTERVAL_MS = 15_000;
const TELEMETRY_INTERVAL_MS = 500;
const RPC_TIMEOUT_MS = 10_000;
/** How long the end waits for a connection that was cut last. */
const RETURN_MS_MAX = 10_000;

async function main(): Promise<number> {
  const program = new Command("npm start --")
    .addOption(new Option("--engine <engine>", "what runs the module").choices(["wasm3", "aot", "v8"]).default("wasm3"))
    .addOption(new Option("--seconds <n>", "end by itself after so long").argParser(wholeNumber(1, 86_400)))
    .addOption(new Option("--port <n>", "MQTT port").argParser(wholeNumber(0, 65535)).default(1883))
    .addOption(new Option("--rest-port <n>", "REST port").argParser(wholeNumber(0, 65535)).default(8080))
    .parse();
  const options = program.opts<Options>();
  const say = (line: string): void => { process.stdout.write(`${line}\n`); };
  ensurePackages("build");
  const isOver = interrupted();
  await build(["modules", ...(options.engine === "v8" ? [] : ["c" as const])], (line) => say(colors.dim(`building: ${line}`)));

  const areAsked = ["port", "restPort"].some((name) => program.getOptionValueSource(name) === "cli");
  const server = await start(options, areAsked);
  const folder = mkdtempSync(join(tmpdir(), "mote-start-"));
  try {
    say(`server: ${server.mqttUrl} and ${server.restUrl}; device: ${options.engine}; ${colors.bold("Ctrl-C ends it")}`);
    return await run(options, server, folder, isOver);
  } finally {
    rmSync(folder, { recursive: true });
    await server.close();
  }
}

/** At the usual ports, or at free ones when those are taken; at no others than those that were asked for. */
async function start({ port, restPort }: Options, areAsked: boolean): Promise<LocalServer> {
  const devices = [demoDevice];
  try {
    return await startServer({ mqttPort: port, restPort, devices });
  } catch (error) {
    if (areAsked || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return startServer({ mqttPort: 0, restPort: 0, devices });
  }
}

async function run({ engine, seconds }: Options, server: LocalServer, folder: string, isOver: Promise<void>): Promise<number> {
  const tally = new Tally();
  const view = liveView();
  const { id } = server.devices.byToken(demoDevice.token)!;
  const linkUp = new EventEmitter();
  /** Packet ids of telemetry, to tell its acknowledgements from those of other messages. */
  const underway = new Set<unknown>();
  let link = "connecting";
  let values = "nothing yet";
  let rpc = "none yet";
  const show = (): void => view.show([
    `link       ${link === "connected" ? colors.green(link) : colors.yellow(link)}`,
    `stored     ${values}`,
    `last RPC   ${rpc}`,
    `messages   ${tally.sent} sent, ${tally.delivered} acknowledged, ${tally.stored} stored, ${tally.repeated} repeated`,
    `cuts       ${tally.cuts}, connects ${tally.connects}`,
  ]);

  server.events.on("telemetry", ({ key, value }) => {
    if (key === "sequence" && value.type === "long") tally.store(Number(value.value));
    const latest = [...server.devices.byId(id)!.latest].map(([name, point]) => `${name} ${valueText(point.value)}`);
    values = latest.join(", ");
    if (key === "sequence") view.log(eventLine({ event: "Stored", text: values }));
    show();
  });

  let fail!: (error: CommandError) => void;
  const failed = new Promise<never>((_resolve, reject) => { fail = reject; });
  const device = startDevice(engine, server.mqttPort, folder, (event) => {
    if (event.event === "Telemetry") {
      tally.sent++;
      underway.add(event["id"]);
    }
    if (event.event === "Delivered" && underway.delete(event["id"])) tally.delivered++;
    if (event.event === "Connected") tally.connects++;
    if (event.event === "Connected" || event.event === "Disconnected") {
      if (event.event === "Connected") linkUp.emit("connected");
      link = event.event === "Connected" ? "connected" : `down: ${String(event["reason"])}`;
    }
    if (SHOWN.has(event.event)) view.log(eventLine(event));
    show();
  }, (error) => fail(error));

  let asking = Promise.resolve();
  const ask = async (): Promise<void> => {
    if (link !== "connected") return;
    tally.rpcAsked++;
    const method = tally.rpcAsked % 2 === 1 ? "setLed" : "getState";
    const params = method === "setLed" ? { on: tally.rpcAsked % 4 === 1 } : {};
    rpc = await callTwoWay(server, id, method, params);
    if (rpc.includes("->")) tally.rpcAnswered++;
    view.log(eventLine({ event: "RPC", text: rpc }));
    show();
  };
  const cut = async (): Promise<void> => {
    // A call that is cut off in the middle would only show that REST has a timeout.
    await asking;
    if (link !== "connected") return;
    tally.cuts++;
    link = "cut";
    view.log(eventLine({ event: "Cut", text: "the server breaks the connection" }));
    server.faults.killSessions(id);
  };
  // A short run is cut all the same, and has the time to come back.
  const cutMs = seconds === undefined ? CUT_INTERVAL_MS : Math.min(CUT_INTERVAL_MS, seconds * 400);
  const timers: NodeJS.Timeout[] = [];
  let wasInterrupted = false;
  const ended = Promise.race([isOver.then(() => { wasInterrupted = true; }), failed]);
  try {
    // What a slow machine takes to connect first is not taken from a short run.
    await Promise.race([ended, once(linkUp, "connected", { signal: AbortSignal.timeout(RETURN_MS_MAX) }).catch(() => {})]);
    timers.push(setInterval(() => { asking = ask(); }, Math.min(RPC_INTERVAL_MS, cutMs / 2)), setInterval(() => void cut(), cutMs));
    const enough = new Promise<void>((resolve) => {
      if (seconds !== undefined) timers.push(setTimeout(resolve, seconds * 1000));
    });
    await Promise.race([ended, enough]);
  } finally {
    timers.forEach(clearInterval);
    // Between two connections the device would keep what it has not sent yet, and leave with it.
    if (link !== "connected" && tally.connects > 0) await once(linkUp, "connected", { signal: AbortSignal.timeout(RETURN_MS_MAX) }).catch(() => {});
    // Nor would a call that is under way have its answer.
    if (link === "connected") await asking;
    await device.stop();
    view.end();
  }
  // Who ends it at once has not seen it fail.
  const isGood = (tally.sent > 0 || wasInterrupted) && tally.missing().length === 0;
  process.stdout.write(`${(isGood ? colors.green : colors.red)(tally.summary())}\n`);
  return isGood ? 0 : 1;
}

const SHOWN: ReadonlySet<string> = new Set(["Connected", "Disconnected", "Refused", "Unstable", "RpcRequest", "Restarted", "Failed", "Error", "Output"]);

function startDevice(
  engine: Options["engine"], port: number, folder: string, onEvent: (event: DemoEvent) => void, onExit: (error: CommandError) => void,
): DemoDevice {
  const configuration = {
    mqtt_host: "127.0.0.1", mqtt_port: port, access_token: demoDevice.token,
    send_buffer: 4096, reconnect_min_ms: 500, reconnect_max_ms: 5000, healthy_s: 5,
  };
  if (engine === "v8") return startDemo({ configuration, baseDirectory: folder, intervalMs: TELEMETRY_INTERVAL_MS, onEvent });
  const file = join(folder, "device.json");
  writeFileSync(file, JSON.stringify(configuration));
  return startNative({ engine, onEvent, onExit, arguments: ["--config", file, "--interval", String(TELEMETRY_INTERVAL_MS)] });
}

/** What the server answers, in words. */
async function callTwoWay(server: LocalServer, id: string, method: string, params: object): Promise<string> {
  const request = `${method} ${JSON.stringify(params)}`;
  try {
    const response = await fetch(`${server.restUrl}/api/rpc/twoway/${id}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ method, params, timeout: RPC_TIMEOUT_MS }),
    });
    return response.ok ? `${request} -> ${await response.text()}` : `${request}: no answer, status ${response.status}`;
  } catch {
    // The server was closed while the call waited.
    return `${request}: ended`;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${colors.red("mote:")} ${(error as Error).message}\n`);
  process.exitCode = 1;
}
