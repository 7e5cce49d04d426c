// The twin of tests/c/driver.c on V8: the same commands, answers and events, so that one suite drives every engine.
//
// tests/c/driver.c and tests/c/verbs.h describe the lines. Difference: arena figures are 0.

import type { Socket } from "node:net";
import { EventKind, EventKindNames, JsonType, Release, Status } from "../../build/generated/abi.ts";
import { asConfigurationError, prepare, type Prepared } from "../../host/node/configuration.ts";
import { JsonText, MoteError, type MessageValue } from "../../host/node/index.ts";
import { messageRecord } from "../../host/node/message.ts";
import type { ModuleEvent } from "../../host/node/event-record.ts";
import { profileModule, type Profile } from "../../host/node/instance.ts";
import { ClientModule, utf8, type PublishFlags } from "../../host/node/module.ts";
import { statusName } from "../../host/node/errors.ts";
import { portsOf } from "../../host/node/ports/default.ts";
import { dialTcp, SocketPort } from "../../host/node/ports/net.ts";
import { tlsDial } from "../../host/node/ports/tls.ts";
import { Runner } from "../../host/node/runner.ts";
import { MessageBuilder } from "../node/message-builder.ts";

const MEMORY_SIZE = 65536;
/** The events of messages that came from the peer. */
const LENDING: ReadonlySet<number> = new Set([EventKind.Message, EventKind.RpcRequest, EventKind.SharedAttributes, EventKind.AttributesResponse]);


/** Text where it is UTF-8, else hexadecimal digits under another name. */
function textOrHex(name: string, bytes: Uint8Array): Record<string, string> {
  const text = Buffer.from(bytes).toString("utf8");
  return Buffer.from(text).equals(bytes) ? { [name]: text } : { [`${name}_hex`]: Buffer.from(bytes).toString("hex") };
}

function unescape(field: string): Buffer {
  const bytes: Buffer[] = [];
  for (const [, hex, letter, plain] of field.matchAll(/\\x([0-9a-fA-F]{2})|\\(.)|([^\\]+)/g)) {
    if (hex !== undefined) bytes.push(Buffer.from(hex, "hex"));
    else bytes.push(Buffer.from(plain ?? ({ t: "\t", n: "\n" } as Record<string, string>)[letter!] ?? letter!));
  }
  return Buffer.concat(bytes);
}

/** What a claim says; a text that is empty stands for nothing. */
function claimOf(secretKey: string, durationMs: string): Record<string, MessageValue> {
  return { ...(secretKey === "" ? {} : { secretKey }), ...(Number(durationMs) > 0 ? { durationMs: Number(durationMs) } : {}) };
}

/** The POSIX port has this in the configuration; in Node it is an option of the client. */
function storeDirectory(json: string): string | undefined {
  return (JSON.parse(json) as { host?: { store_directory?: string } }).host?.store_directory;
}

export class NodeClient {
  #runner: Runner | null = null;
  #module: ClientModule | null = null;
  #isTrapNext = false;
  #phase: "Stopped" | "Trying" | "Connected" | "Draining" = "Stopped";
  #traps = 0;
  #event: ModuleEvent | null = null;
  readonly #message = new MessageBuilder();
  readonly #filters = new Map<string, 0 | 1>();
  /** Messages that are still to be answered by NotAccepted. */
  #declines = 0;
  #socket: Socket | null = null;

  /** `print` takes the lines that the C program writes. */
  constructor(private readonly print: (line: object) => void, private readonly profile: Profile = "device") {}

  /** Runs one command and prints its answer. */
  run(line: string): void {
    const fields = line.replace(/\r$/, "").split("\t").map(unescape);
    const { result, ...detail } = this.#answer(fields);
    this.print({
      command: fields[0]!.toString("utf8"), result, status: statusName(result),
      ...(result < 0 ? { text: detail.text ?? "", value: detail.value ?? 0 } : {}),
    });
  }

  /** The result of one command, with what belongs to a failure. */
  #answer(fields: readonly Buffer[]): { result: number; text?: string; value?: number } {
    try {
      return { result: this.#run(fields) };
    } catch (error) {
      if (!(error instanceof MoteError)) throw error;
      return { result: error.code, text: error.text, value: error.value };
    }
  }

  end(): void {
    this.#runner?.stop();
  }

  /** As if the machine lost its power: the peer hears no DISCONNECT. */
  kill(): void {
    this.#socket?.destroy();
    this.#runner?.stop();
  }

  #run(fields: readonly Buffer[]): number {
    const [verb, ...words] = fields.map((field) => field.toString("utf8"));
    if (verb === "init") return this.#init(words[0]!, Number(words[1] ?? 0) || MEMORY_SIZE);
    if (verb === "stats") return this.#printStats();
    const runner = this.#runner;
    if (runner === null) return Status.BadState;
    const build = this.#message.run(verb!, words);
    if (build !== null) return build;
    switch (verb) {
      case "start":
        runner.start();
        if (this.#phase === "Stopped") this.#phase = "Trying";
        if (this.#phase === "Draining") this.#phase = "Connected";
        return Status.Ok;
      case "stop":
        runner.stop();
        this.#phase = "Stopped";
        return Status.Ok;
      case "trap":
        this.#isTrapNext = true;
        runner.wake(); // the C program polls after each command as well
        return Status.Ok;
      case "decline":
        this.#declines = Number(words[0]);
        return Status.Ok;
    }
    return runner.use((module) => this.#call(module, verb!, words, fields)) ?? Status.Trapped;
  }

  #call(module: ClientModule, verb: string, words: string[], fields: readonly Buffer[]): number {
    const [first = "", second = "", third = ""] = words;
    const flags = (from: number): PublishFlags =>
      (words.length <= from ? {} : { qos: Number(words[from]) as 0 | 1, retain: Number(words[from + 1] ?? 0) !== 0 });
    const checked = (result: number): number => module.require(result, verb);
    const ready = (text: string): Uint8Array => messageRecord(new JsonText(text));
    switch (verb) {
      case "disconnect":
        if (this.#phase !== "Stopped") this.#phase = "Draining";
        module.disconnect();
        return Status.Ok;
      case "send_telemetry": return checked(module.send("send_telemetry", this.#message.take(), flags(0)));
      case "send_attributes": return checked(module.send("send_attributes", this.#message.take(), flags(0)));
      case "send_rpc_reply": return checked(module.sendRpcReply(Number(first), this.#message.take(), flags(1)));
      case "telemetry": return checked(module.send("send_telemetry", ready(first), flags(1)));
      case "attributes": return checked(module.send("send_attributes", ready(first), flags(1)));
      case "rpc_reply": return checked(module.sendRpcReply(Number(first), ready(second), flags(2)));
      case "publish": return checked(module.publish(fields[1]!, fields[2] ?? Buffer.alloc(0), flags(2)));
      case "subscribe": {
        const id = checked(module.subscribe(fields[1]!, Number(second) as 0 | 1));
        this.#filters.set(first, Number(second) as 0 | 1);
        return id;
      }
      case "unsubscribe":
        this.#filters.delete(first);
        return checked(module.unsubscribe(fields[1]!));
      case "request_attributes": {
        const keys = { clientKeys: first || undefined, sharedKeys: second || undefined };
        return checked(module.request("request_attributes", messageRecord(keys), Number(third)));
      }
      case "request_rpc": {
        const call = { method: first, ...(second === "" ? {} : { params: new JsonText(second) }) };
        return checked(module.request("request_rpc", messageRecord(call), Number(third)));
      }
      case "claim": return checked(module.send("claim", messageRecord(claimOf(first, second)), flags(2)));
      case "gateway_connect":
        return checked(module.send("gateway_connect", messageRecord({ device: first, ...(second === "" ? {} : { type: second }) }), flags(2)));
      case "gateway_disconnect": return checked(module.send("gateway_disconnect", messageRecord({ device: first }), flags(1)));
      case "gateway_telemetry": {
        const entries = new JsonText(second.trimStart().startsWith("[") ? second : `[${second}]`);
        return checked(module.send("gateway_telemetry", messageRecord({ [first]: entries }), flags(2)));
      }
      case "gateway_attributes": return checked(module.send("gateway_attributes", messageRecord({ [first]: new JsonText(second) }), flags(2)));
      case "gateway_rpc_reply":
        return checked(module.send("gateway_rpc_reply", messageRecord({ device: first, id: Number(second), data: new JsonText(third) }), flags(3)));
      case "gateway_claim": return checked(module.send("gateway_claim", messageRecord({ [first]: claimOf(second, third) }), flags(3)));
      case "gateway_request_attributes": {
        const request = { id: 0, device: first, client: second === "client", keys: third.split(",") };
        return checked(module.request("gateway_request_attributes", messageRecord(request), Number(words[3])));
      }
      case "ota_start": return checked(module.ota("ota_start", Number(first)));
      case "ota_apply": return checked(module.applyOta(Number(first), second !== "0"));
      case "ota_stop": return checked(module.ota("ota_stop", Number(first)));
      case "release":
        module.release(Number(first));
        return Status.Ok;
      case "find": return this.#find(first, second);
    }
    return Status.NotFound;
  }

  #init(json: string, memoryBytes: number): number {
    if (this.#runner !== null) return Status.BadState;
    let prepared: Prepared;
    let net: SocketPort;
    try {
      prepared = prepare(json);
      net = new SocketPort(prepared.tls && tlsDial(prepared.tls, "."), (host, port) => {
        const dialled = dialTcp(host, port);
        this.#socket = dialled.socket;
        return dialled;
      });
      const ports = portsOf(prepared.tls, { ports: { net }, storeDirectory: storeDirectory(json) });
      const build = (): ClientModule => {
        this.#module = new ClientModule(profileModule(this.profile), ports, memoryBytes, {
          imports: (functions) => Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, (...values: never[]) => {
            if (this.#isTrapNext) {
              this.#isTrapNext = false;
              throw new Error("a trap that the test asked for");
            }
            return call(...values);
          }])),
        });
        this.#module.configure(prepared.text, prepared.qos);
        return this.#module;
      };
      this.#runner = new Runner(build, ports, { minMs: prepared.reconnectMinMs, maxMs: prepared.reconnectMaxMs }, {
        onEvent: (event, module) => this.#onEvent(event, module),
        onTurn: () => {},
        onIdle: () => { this.#phase = "Stopped"; },
        onTrap: () => {
          this.#traps++;
          if (this.#phase !== "Connected" && this.#phase !== "Draining") return;
          this.#phase = this.#phase === "Connected" ? "Trying" : "Stopped";
          this.#print(EventKind.Disconnected, { reason: Status.Trapped });
        },
        onRebuilt: (module) => {
          for (const [filter, qos] of this.#filters) module.subscribe(utf8(filter), qos);
          this.#print(EventKind.Restarted);
        },
        onFailed: () => {
          this.#phase = "Stopped";
          this.#print(EventKind.Failed);
        },
      });
    } catch (error) {
      throw asConfigurationError(error);
    }
    return Status.Ok;
  }

  #onEvent(event: ModuleEvent, module: ClientModule): boolean {
    if (this.#declines > 0 && LENDING.has(event.kind)) {
      this.#declines--;
      module.release(Release.NotAccepted);
    }
    const { kind, reason } = event;
    if (kind === EventKind.Connected && this.#phase !== "Draining") this.#phase = "Connected";
    if (kind === EventKind.Disconnected) this.#phase = reason === Status.Requested ? "Stopped" : "Trying";
    this.#event = event;
    this.#print(kind, event);
    return false;
  }

  #print(kind: number, event?: Partial<ModuleEvent>): void {
    const { id = 0, reason = 0, flags = 0, topic = "", payload = Buffer.alloc(0), total = 0, offset = 0, name = "", value = "" } = event ?? {};
    this.print({
      event: EventKindNames[kind], id, reason, reason_name: statusName(reason), flags, topic, ...textOrHex("payload", payload), total, offset, name, value,
    });
  }

  #printStats(): number {
    const stats = Object.entries(this.#module?.counters() ?? {}).map(([name, count]) => [name.charAt(0).toUpperCase() + name.slice(1), count]);
    const link = ({ none: "Waiting", opening: "Opening", open: "Connecting" } as const)[this.#module?.link() ?? "none"];
    this.print({
      stats: Object.fromEntries(stats), state: this.#phase === "Trying" ? link : this.#phase, traps: this.#traps, arena_used: 0, arena_allocations: 0,
    });
    return Status.Ok;
  }

  /** The type of a member of the last event's JSON, as json_find names it. */
  #find(where: string, path: string): number {
    const text = where === "payload" ? Buffer.from(this.#event?.payload ?? []).toString("utf8") : this.#event?.value ?? "";
    let value = JSON.parse(text) as MessageValue;
    for (const step of path === "" ? [] : path.split(".")) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return Status.NotFound;
      value = (value as Record<string, MessageValue>)[step] as MessageValue;
    }
    if (value === null) return JsonType.Null;
    if (typeof value === "boolean") return value ? JsonType.True : JsonType.False;
    if (typeof value === "number") return JsonType.Number;
    if (typeof value === "string") return JsonType.Text;
    return Array.isArray(value) ? JsonType.Array : JsonType.Object;
  }
}
