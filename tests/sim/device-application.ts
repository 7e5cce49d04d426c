// The application on a device that has more than the least: besides what any application does it asks, subscribes and updates, at random.

import { EventKind, Status } from "../../build/generated/abi.ts";
import { messageRecord } from "../../host/node/message.ts";
import type { ModuleEvent } from "../../host/node/event-record.ts";
import { utf8, type ClientModule } from "../../host/node/module.ts";
import { Application } from "./application.ts";
import type { RequestEntry } from "./ledger.ts";

/** One of these is granted by ThingsBoard, the others are refused. */
const FILTERS = ["v2/fw/response/+/chunk/+", "plant/+/state", "v1/devices/me/#"] as const;

export class DeviceApplication extends Application {
  override act(module: ClientModule): void {
    const choice = this.random.between(0, 99);
    if (choice < 70) this.send(module);
    else if (choice < 82) this.#requestAttributes(module);
    else if (choice < 88) this.#subscribe(module);
    else if (choice < 92) this.#unsubscribe(module);
    else if (choice < 94) this.leave(module);
  }

  override onEvent(event: ModuleEvent, module: ClientModule): void {
    const { kind, id } = event;
    switch (kind) {
      case EventKind.SessionLimits: this.ledger.knowsLimits ||= event.reason === 0; break;
      case EventKind.Provisioned: this.ledger.isProvisioned ||= event.reason === 0; break;
      case EventKind.AttributesResponse: this.ended("attributes", id); break;
      case EventKind.RequestTimeout: this.#timedOut(id); break;
      case EventKind.MessageTooLarge:
        // The module asks for the attributes of a package by requests of its own.
        if (event.topic.includes("/attributes/response/") && this.ledger.openRequest("attributes", id) !== undefined) this.ended("attributes", id);
        break;
      case EventKind.OtaReady: module.applyOta(id, this.random.percent(90)); break;
      case EventKind.OtaAvailable: if (this.random.percent(5)) module.ota("ota_stop", id); break;
    }
    super.onEvent(event, module);
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
}
