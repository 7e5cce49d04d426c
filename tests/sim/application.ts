// The application on a device of any profile: it publishes, replies and leaves at random, and keeps the ledger of it.

import { EventKind, Status } from "../../build/generated/abi.ts";
import { messageRecord } from "../../host/node/message.ts";
import type { ModuleEvent } from "../../host/node/event-record.ts";
import type { ClientModule } from "../../host/node/module.ts";
import type { Ledger, MessageEntry } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

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
    if (choice < 80) this.send(module);
    else if (choice < 85) this.#sendMany(module);
    else if (choice < 87) this.leave(module);
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
    this.ledger.told(kind);
    switch (kind) {
      case EventKind.Connected:
        this.ledger.reconnects++;
        this.ledger.connectedAtMs = this.schedule.nowMs;
        this.ledger.owesSinceMs = null;
        break;
      case EventKind.Disconnected: this.ledger.connectedAtMs = null; break;
      case EventKind.Delivered: this.#delivered(id); break;
      case EventKind.MessageRejected: this.#rejected(event); break;
      case EventKind.RpcRequest: this.#onRpc(event, module); break;
      case EventKind.MessageTooLarge: if (event.topic.includes("/rpc/request/")) this.#excuseRpc(id, "too large"); break;
    }
    if (this.random.percent(3) && (kind === EventKind.RpcRequest || kind === EventKind.SharedAttributes || kind === EventKind.Message)) {
      module.release(0);
    }
  }

  protected send(module: ClientModule): void {
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
    this.ledger.offered += Number(id >= 0 || id === Status.Full);
    if (id < 0) {
      if (id !== Status.Full && id !== Status.TooLarge) this.onFault(`send answers ${id}`);
      return;
    }
    this.add({ sequence, qos, id, isStored: false, isDelivered: false, excuse: null });
  }

  #sendMany(module: ClientModule): void {
    for (let count = this.random.between(3, 12); count > 0; count--) this.send(module);
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

  #rejected({ id, payload }: ModuleEvent): void {
    const message = this.#end(id);
    if (message === undefined) return;
    const { sequence } = message;
    if (sequence > 0 && !Buffer.from(payload).includes(`"sequence":${sequence},`)) this.onFault(`message ${sequence} is rejected with the bytes of another`);
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

  protected leave(module: ClientModule): void {
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
    this.ledger.offered += Number(result >= 0 || result === Status.Full);
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
