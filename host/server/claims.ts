// Claiming: a device registers a secret key for a while, and a customer who names it takes the device over (spec 2.8, 11.19).

import { randomUUID } from "node:crypto";
import { deleteAttributes, writeAttributes } from "./attributeWrites.ts";
import type { Device } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import { readLong, readText } from "./gson.ts";
import { type Json, parseLenientJson } from "./json.ts";
import { UnconvertibleError } from "./outcome.ts";

export interface ClaimRequest {
  readonly secretKey: string;
  /** 0 or less stands for the server's own duration. */
  readonly durationMs: number;
}

export interface ClaimOptions {
  /** `security.claim.allowClaimingByDefault`; without it a device needs the server attribute `claimingAllowed` = true. */
  readonly isAllowedByDefault?: boolean;
  /** `security.claim.duration`, for requests that name none. */
  readonly durationMs?: number;
}

/** ThingsBoard's ClaimResponse. */
export type ClaimResponse = "SUCCESS" | "FAILURE" | "CLAIMED";

interface Claim {
  readonly secretKey: string;
  readonly expiresAtMs: number;
  readonly evictedAtMs: number;
}

/** How long the server's cache keeps a claim, whatever duration it has: 24 h. */
const cacheMs = 86_400_000;
const allowedAttribute = "claimingAllowed";

/** An empty payload is an empty request. */
export function parseClaim(payload: Buffer): ClaimRequest {
  return payload.length === 0 ? { secretKey: "", durationMs: 0 } : readClaim(parseLenientJson(payload.toString("utf8")));
}

export function readClaim(json: Json): ClaimRequest {
  if (!(json instanceof Map)) throw new UnconvertibleError("a claim must be an object");
  return {
    secretKey: json.has("secretKey") ? readText(json.get("secretKey"), "secretKey") : "",
    durationMs: json.has("durationMs") ? readLong(json.get("durationMs"), "durationMs") : 0,
  };
}

export class Claims {
  /** The only customer there is. */
  readonly customerId = randomUUID();
  /** One to a device, gone with it. */
  readonly #claims = new WeakMap<Device, Claim>();
  readonly #isAllowedByDefault: boolean;
  readonly #durationMs: number;
  readonly #now: () => number;
  readonly #events: ServerEvents;

  constructor({ isAllowedByDefault = true, durationMs = 86_400_000 }: ClaimOptions, now: () => number, events: ServerEvents) {
    this.#isAllowedByDefault = isAllowedByDefault;
    this.#durationMs = durationMs;
    this.#now = now;
    this.#events = events;
  }

  /** The device hears nothing of how this ends. A claim that is still cached stays as it is. */
  register(device: Device, { secretKey, durationMs }: ClaimRequest): void {
    const isAllowed = this.#isAllowedByDefault || isTrue(device);
    const isRegistered = isAllowed && device.customerId === null && this.#cached(device) === undefined;
    if (isRegistered) {
      const nowMs = this.#now();
      const expiresAtMs = nowMs + (durationMs > 0 ? durationMs : this.#durationMs);
      this.#claims.set(device, { secretKey, expiresAtMs, evictedAtMs: nowMs + cacheMs });
    }
    this.#events.emit("claimRequested", { device, isRegistered });
  }

  /** A wrong key or one that comes too late costs the device its claim. */
  claim(device: Device, secretKey: string): ClaimResponse {
    const claim = this.#cached(device);
    const isClaimed = device.customerId !== null;
    if (claim === undefined) return isClaimed ? "CLAIMED" : "FAILURE";
    this.#claims.delete(device);
    if (this.#now() > claim.expiresAtMs || secretKey !== claim.secretKey) return "FAILURE";
    deleteAttributes(device, "SERVER_SCOPE", [allowedAttribute], this.#events);
    if (isClaimed) return "CLAIMED";
    device.customerId = this.customerId;
    this.#events.emit("claimed", { device });
    return "SUCCESS";
  }

  /** Takes the device from its customer, so that it can be claimed again. */
  reclaim(device: Device): void {
    this.#claims.delete(device);
    if (device.customerId === null) return;
    device.customerId = null;
    if (this.#isAllowedByDefault) return;
    writeAttributes(device, "SERVER_SCOPE", [[allowedAttribute, { type: "boolean", value: true }]], this.#now(), this.#events);
  }

  #cached(device: Device): Claim | undefined {
    const claim = this.#claims.get(device);
    return claim !== undefined && this.#now() < claim.evictedAtMs ? claim : undefined;
  }
}

function isTrue({ attributes }: Device): boolean {
  const value = attributes.SERVER_SCOPE.get(allowedAttribute)?.value;
  return value?.type === "boolean" && value.value;
}
