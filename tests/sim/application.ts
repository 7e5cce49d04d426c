// The application on the device: it publishes, asks, subscribes and replies at random, and keeps the ledger of it.

import { EventKind, Status } from "../../build/generated/abi.ts";
import { messageRecord } from "../../host/node/message.ts";
import type { ModuleEvent } from "../../host/node/event-record.ts";
import { utf8, type ClientModule } from "../../host/node/module.ts";
import type { Ledger, MessageEntry, RequestEntry } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

/** One of these is granted by ThingsBoard, the others are refused. */
const FILTERS = ["v2/fw/response/+/chunk/+", "plant/+/state", "v1/devices/me/#"] as const;
export const REPLY_AGAIN_MS = 500;

export class Application {
  #isStarted = true;

  constructor(
    readonly schedule: Schedule, readonly random: Random, readonly ledger: Ledger,
    readonly trace: (line: string) => void, readonly onFault: (text: string) => void,
    /** Calls the module of the present boot, unless the device is off. */
    readonly use: (action: (module: ClientModule) => void) => void,
  ) {}

  /** What it does first in a boot. */
  begin(_module: ClientModule): void {}

  /** One action by chance. */
  act(module: ClientModule): void {
    const choice = this.random.between(0, 99);
    if (choice < 70) this.#send(module);
    else if (choice < 82) this.#requestAttributes(module);
    else if (choice < 88) this.#subscribe(module);
    else if (choice < 92) this.#unsubscribe(module);
    else if (choice < 94) this.#leave(module);
  }

  /** What the application does once it wants a connection again. */
  comeBack(module: ClientModule): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    module.start();
  }

  /** A new boot of the same device. */
  restart(): void {
    this.ledger.forgetRam(this.schedule.nowMs);
    this.#isStarted = true;
  }

  onEvent(event: ModuleEvent, module: ClientModule): void {
    const { kind, id } = event;
    switch (kind) {
      case EventKind.Connected:
        this.ledger.reconnects++;
        this.ledger.connectedAtMs = this.schedule.nowMs;
        break;
      case EventKind.Disconnected: this.ledger.connectedAtMs = null; break;
      case EventKind.SessionLimits: this.ledger.knowsLimits ||= event.reason === 0; break;
      case EventKind.Provisioned: this.ledger.isProvisioned ||= event.reason === 0; break;
      case EventKind.Delivered: this.#delivered(id); break;
      case EventKind.MessageRejected: this.#rejected(id); break;
      case EventKind.RpcRequest: this.#onRpc(event, module); break;
      case EventKind.AttributesResponse: this.ended("attributes", id); break;
      case EventKind.RequestTimeout: this.#timedOut(id); break;
      case EventKind.MessageTooLarge:
        // The module asks for the attributes of a package by requests of its own.
        if (event.topic.includes("/attributes/response/") && this.ledger.openRequest("attributes", id) !== undefined) this.ended("attributes", id);
        else if (event.topic.includes("/rpc/request/")) this.#excuseRpc(id, "too large");
        break;
    }
    if (kind === EventKind.OtaReady) module.applyOta(id, this.random.percent(90));
    if (kind === EventKind.OtaAvailable && this.random.percent(5)) module.ota("ota_stop", id);
    if (this.random.percent(3) && (kind === EventKind.RpcRequest || kind === EventKind.SharedAttributes || kind === EventKind.Message)) {
      module.release(0);
    }
  }

  #send(module: ClientModule): void {
    const { random } = this;
    const qos = random.percent(80) ? 1 : 0;
    const sequence = ++this.ledger.sequence;
    const padding = "y".repeat(random.percent(10) ? random.between(100, 600) : random.between(0, 40));
    const record = messageRecord({ sequence, ok: random.percent(50), level: random.between(-10_000, 10_000) / 100, padding });
    let id: number;
    try {
      id = module.send(random.percent(85) ? "send_telemetry" : "send_attributes", record, { qos });
    } catch {
      return; // larger than the staging area
    }
    this.trace(`send ${sequence} qos ${qos}: ${id}`);
    if (id < 0) {
      if (id !== Status.Full && id !== Status.TooLarge) this.onFault(`send answers ${id}`);
      return;
    }
    this.add({ sequence, qos, id, isStored: false, isDelivered: false, excuse: null });
  }

  protected add(message: MessageEntry): void {
    if (!this.ledger.add(message)) this.onFault(`packet id ${message.id} is given twice`);
  }

  #delivered(id: number): void {
    const message = this.#end(id);
    if (message === undefined) return; // a request of the module's own
    message.isDelivered = true;
    // Replies and requests have no number; what the server keeps of them is in other entries.
    if (message.sequence > 0 && !message.isStored) this.onFault(`message ${message.sequence} is acknowledged and lost`);
  }

  #rejected(id: number): void {
    const message = this.#end(id);
    if (message === undefined) return;
    message.excuse = "rejected";
    if (message.child !== undefined) message.child.changedAtMs = Infinity;
  }

  #end(id: number): MessageEntry | undefined {
    const message = this.ledger.unacknowledged.get(id);
    this.ledger.unacknowledged.delete(id);
    return message;
  }

  /** A publish of a verb that sends no numbered telemetry. */
  protected unnumbered(id: number): void {
    if (id > 0) this.add({ sequence: 0, qos: 1, id, isStored: true, isDelivered: false, excuse: null });
  }

  #requestAttributes(module: ClientModule): void {
    const timeoutMs = this.random.between(1, 30_000);
    const id = module.request("request_attributes", messageRecord({ sharedKeys: "rate" }), timeoutMs);
    this.trace(`requestAttributes ${timeoutMs} ms: ${id}`);
    if (id > 0) this.ledger.requests.push({ kind: "attributes", id, atMs: this.schedule.nowMs, timeoutMs, boot: this.ledger.boot, ends: 0, excuse: null });
    else if (id !== Status.Full) this.onFault(`requestAttributes answers ${id}`);
  }

  protected ended(kind: RequestEntry["kind"] | null, id: number): RequestEntry | undefined {
    const request = this.ledger.openRequest(kind, id);
    if (request === undefined) this.onFault(`an answer to request ${id}, which nobody made`);
    else if (++request.ends > 1) this.onFault(`request ${id} ended ${request.ends} times`);
    return request;
  }

  #timedOut(id: number): void {
    const request = this.ended(null, id);
    if (request !== undefined && this.schedule.nowMs < request.atMs + request.timeoutMs - 1) this.onFault(`request ${id} timed out too early`);
  }

  #subscribe(module: ClientModule): void {
    const filter = this.random.pick(FILTERS);
    const id = module.subscribe(utf8(filter), this.random.percent(50) ? 1 : 0);
    this.trace(`subscribe ${filter}: ${id}`);
    if (id > 0) this.ledger.declared.add(filter);
    else if (id !== Status.Full && id !== Status.TooLarge) this.onFault(`subscribe answers ${id}`);
  }

  #unsubscribe(module: ClientModule): void {
    const filter = this.random.pick(FILTERS);
    const result = module.unsubscribe(utf8(filter));
    this.trace(`unsubscribe ${filter}: ${result}`);
    if (result >= 0) this.ledger.declared.delete(filter);
    else if (result !== Status.NotFound && result !== Status.Full) this.onFault(`unsubscribe answers ${result}`);
  }

  #leave(module: ClientModule): void {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.ledger.connectedAtMs = null;
    if (this.random.percent(50)) module.disconnect();
    else module.stop();
    this.trace("leaves");
  }

  #onRpc({ id, name }: ModuleEvent, module: ClientModule): void {
    if (name !== 'switch \\"1\\"') return; // one of the invalid ones that are valid enough
    const delayMs = this.random.percent(60) ? 0 : this.random.between(1, 5000);
    if (delayMs === 0) this.#reply(id, module);
    else this.#replyAfter(delayMs, id);
  }

  #reply(id: number, module: ClientModule): void {
    const rpc = this.ledger.rpcs.get(id);
    if (rpc === undefined || rpc.isReplied || rpc.excuse !== null) return;
    const result = module.sendRpcReply(id, messageRecord({ done: id }), { qos: 1 });
    this.trace(`reply ${id}: ${result}`);
    if (result > 0) {
      rpc.isReplied = true;
      this.unnumbered(result);
    } else if (result === Status.Full) {
      this.#replyAfter(REPLY_AGAIN_MS, id);
    } else {
      this.onFault(`reply answers ${result}`);
    }
  }

  #replyAfter(delayMs: number, id: number): void {
    this.schedule.after(delayMs, () => this.use((module) => this.#reply(id, module)));
  }

  #excuseRpc(id: number, excuse: string): void {
    const rpc = this.ledger.rpcs.get(id);
    if (rpc !== undefined) rpc.excuse = excuse;
  }
}
