// REST for the rate limits, which ThingsBoard keeps in tenant profiles.

import type { FastifyInstance } from "fastify";
import type { Json } from "./json.ts";
import { limitLevels, RateLimitError, readRateLimits } from "./rateLimits.ts";
import { type RestContext, RestError } from "./restCommon.ts";

export function addLimitRoutes(app: FastifyInstance, { limiter }: RestContext): void {
  const all = (): object => Object.fromEntries(limitLevels.map((level) => [level, limiter.limits(level)]));
  app.get("/api/mote/limits", async () => all());
  app.post("/api/mote/limits", async (request) => {
    try {
      limiter.configure(readRateLimits(request.body as Json | undefined));
    } catch (error) {
      throw error instanceof RateLimitError ? new RestError(400, error.message) : error;
    }
    return all();
  });
}
