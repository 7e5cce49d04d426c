// The application on a gateway: besides what the one on a device does it speaks for children, at random.

import { EventKind, Status } from "../../build/generated/abi.ts";
import { messageRecord } from "../../host/node/message.ts";
import type { ModuleEvent } from "../../host/node/event-record.ts";
import { utf8, type ClientModule } from "../../host/node/module.ts";
import type { MessageValues } from "../../host/node/values.ts";
import { REPLY_AGAIN_MS } from "./application.ts";
import { DeviceApplication } from "./device-application.ts";
import type { ChildEntry, RpcEntry } from "./ledger.ts";

/** Names with what JSON escapes, with more bytes than characters, and one that is the beginning of another. */
const NAMES = ["Boiler 7", "Boiler 78", 'pump "2"', "Kessel Süd", "back\\slash", "m"] as const;
const TYPES = [undefined, "boiler", "kettle"] as const;

export class GatewayApplication extends DeviceApplication {
  override act(module: ClientModule): void {
    const choice = this.random.between(0, 99);
    if (choice < 40) super.act(module);
    else if (choice < 55) this.#connectOrNot(module);
    else if (choice < 80) this.#send(module);
    else if (choice < 81) this.#sendMany(module);
    else if (choice < 92) this.#request(module);
    else if (choice < 94) this.#claim(module);
    else if (choice < 95) this.#flap(module);
  }

  /** What the application does first in a boot: it connects the children that it finds, and some have values that were not sent. */
  override begin(module: ClientModule): void {
    for (const name of NAMES) if (this.random.percent(60)) this.#connect(module, this.#child(name));
    if (this.random.percent(50)) this.#sendMany(module);
  }

  override onEvent(event: ModuleEvent, module: ClientModule): void {
    const { kind, id, topic } = event;
    if (kind === EventKind.ChildRpcRequest) this.#onRpc(event, module);
    else if (kind === EventKind.ChildAttributesResponse) this.ended("child", id);
    else if (kind === EventKind.MessageTooLarge && topic === "v1/gateway/rpc") this.#excuseRpc(event);
    else if (kind === EventKind.MessageTooLarge && topic === "v1/gateway/attributes/response") this.ended("child", id);
    else return super.onEvent(event, module);
    if (kind !== EventKind.MessageTooLarge && this.random.percent(3)) module.release(0);
  }

  #child(name: string): ChildEntry {
    const known = this.ledger.children.get(name);
    if (known !== undefined) return known;
    const child: ChildEntry = { name, document: null, changedAtMs: this.schedule.nowMs };
    this.ledger.children.set(name, child);
    return child;
  }

  #connectOrNot(module: ClientModule): void {
    const child = this.#child(this.random.pick(NAMES));
    if (child.document === null || this.random.percent(20)) this.#connect(module, child);
    else this.#disconnect(module, child);
  }

  /** A child that comes and goes. */
  #flap(module: ClientModule): void {
    const child = this.#child(this.random.pick(NAMES));
    for (let count = this.random.between(5, 20); count > 0; count--) {
      if (child.document === null) this.#connect(module, child);
      else this.#disconnect(module, child);
    }
  }

  #connect(module: ClientModule, child: ChildEntry): void {
    const type = this.random.pick(TYPES);
    const document = { device: child.name, ...(type !== undefined && { type }) };
    const result = module.send("gateway_connect", messageRecord(document), { qos: 1 });
    this.trace(`connect ${child.name}: ${result}`);
    if (result < 0) {
      if (result !== Status.Full && result !== Status.TooLarge) this.onFault(`gateway_connect answers ${result}`);
      return;
    }
    this.#changed(child, JSON.stringify(document), result);
  }

  #disconnect(module: ClientModule, child: ChildEntry): void {
    const result = module.send("gateway_disconnect", messageRecord({ device: child.name }), { qos: 1 });
    this.trace(`disconnect ${child.name}: ${result}`);
    if (result >= 0) this.#changed(child, null, result);
    else if (result !== Status.Full) this.onFault(`gateway_disconnect answers ${result}`);
  }

  #changed(child: ChildEntry, document: string | null, id: number): void {
    child.document = document;
    child.changedAtMs = this.schedule.nowMs;
    const documents = [...this.ledger.children.values()].flatMap((each) => each.document ?? []);
    const bytes = documents.reduce((sum, each) => sum + utf8(each).length + 2, 0);
    if (bytes > this.ledger.childrenBuffer) this.onFault(`children take ${bytes} bytes of ${this.ledger.childrenBuffer}`);
    if (id > 0) this.add({ sequence: 0, qos: 1, id, isStored: true, isDelivered: false, excuse: null, child });
  }

  /** Telemetry or attributes of up to three children, whether they are connected or not; false when there is no room. */
  #send(module: ClientModule): boolean {
    const { random } = this;
    const qos = random.percent(85) ? 1 : 0;
    const sequence = ++this.ledger.sequence;
    const children = new Set(Array.from({ length: random.percent(70) ? 1 : random.between(2, 3) }, () => random.pick(NAMES)));
    const isTelemetry = random.percent(80);
    const values = { sequence, ok: random.percent(50), level: random.between(-10_000, 10_000) / 100 };
    const value = isTelemetry ? [random.percent(50) ? values : { ts: 1_760_000_000_000 + sequence, values }] : values;
    const document: MessageValues = Object.fromEntries([...children].map((name) => [name, value]));
    const id = module.send(isTelemetry ? "gateway_telemetry" : "gateway_attributes", messageRecord(document), { qos });
    this.trace(`send ${sequence} for ${[...children].join(", ")} qos ${qos}: ${id}`);
    if (id >= 0) this.add({ sequence, qos, id, isStored: false, isDelivered: false, excuse: null, children });
    else if (id !== Status.Full && id !== Status.TooLarge) this.onFault(`gateway_telemetry answers ${id}`);
    return id >= 0;
  }

  #sendMany(module: ClientModule): void {
    for (let count = this.random.between(10, 40); count > 0 && this.#send(module); count--);
  }

  #request(module: ClientModule): void {
    const timeoutMs = this.random.between(1, 30_000);
    const keys = this.random.percent(50) ? { key: "rate" } : { keys: ["rate", "mode"] };
    const record = messageRecord({ id: 0, device: this.random.pick(NAMES), client: this.random.percent(50), ...keys });
    const id = module.request("gateway_request_attributes", record, timeoutMs);
    this.trace(`request for a child, ${timeoutMs} ms: ${id}`);
    if (id > 0) this.ledger.requests.push({ kind: "child", id, atMs: this.schedule.nowMs, timeoutMs, boot: this.ledger.boot, ends: 0, excuse: null });
    else if (id !== Status.Full) this.onFault(`gateway_request_attributes answers ${id}`);
  }

  #claim(module: ClientModule): void {
    const claims = Object.fromEntries([this.random.pick(NAMES), this.random.pick(NAMES)].map((name) => [name, { secretKey: "k", durationMs: 60_000 }]));
    const id = module.send("gateway_claim", messageRecord(claims), { qos: 1 });
    this.trace(`claim ${Object.keys(claims).join(", ")}: ${id}`);
    if (id !== Status.Full) this.unnumbered(id);
  }

  #onRpc({ id, name, topic }: ModuleEvent, module: ClientModule): void {
    if (name !== 'switch \\"1\\"') return; // one of the invalid ones that are valid enough
    const child = JSON.parse(`"${topic}"`) as string;
    if (this.random.percent(60)) this.#reply(child, id, module);
    else this.#replyAfter(this.random.between(1, 5000), child, id);
  }

  #reply(child: string, id: number, module: ClientModule): void {
    const rpc = this.ledger.childRpcs.get(`${child} ${id}`);
    if (rpc === undefined || rpc.isReplied || rpc.excuse !== null) return;
    const result = module.send("gateway_rpc_reply", messageRecord({ device: child, id, data: { done: id } }), { qos: 1 });
    this.trace(`reply ${id} of ${child}: ${result}`);
    if (result > 0) {
      rpc.isReplied = true;
      this.unnumbered(result);
    } else if (result === Status.Full) {
      this.#replyAfter(REPLY_AGAIN_MS, child, id);
    } else {
      this.onFault(`gateway_rpc_reply answers ${result}`);
    }
  }

  #replyAfter(delayMs: number, child: string, id: number): void {
    this.schedule.after(delayMs, () => this.use((module) => this.#reply(child, id, module)));
  }

  /** The module has answered it where the part that arrived tells child and id. */
  #excuseRpc({ id }: ModuleEvent): void {
    const excuse = (rpc: RpcEntry): void => { if (rpc.id === id && !rpc.isReplied) rpc.excuse ??= "too large"; };
    this.ledger.childRpcs.forEach(excuse);
  }
}
