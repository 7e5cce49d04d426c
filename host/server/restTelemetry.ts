// REST for time series: latest values, history, and the keys there are.

import type { FastifyInstance } from "fastify";
import type { Device, Point } from "./device.ts";
import { printString } from "./json.ts";
import { type KeysQuery, readCount, readKeysParameter, requireDevice, type RestContext, RestError, sendJson } from "./restCommon.ts";
import { printValue, valueText } from "./values.ts";

interface TimeseriesQuery extends KeysQuery {
  startTs?: string;
  endTs?: string;
  limit?: string;
  orderBy?: string;
  agg?: string;
  useStrictDataTypes?: string;
}

const defaultLimit = 100;

export function addTelemetryRoutes(app: FastifyInstance, { devices, now }: RestContext): void {
  app.get<{ Params: { deviceId: string }; Querystring: TimeseriesQuery }>(
    "/api/plugins/telemetry/DEVICE/:deviceId/values/timeseries",
    async (request, reply) => {
      const device = requireDevice(devices, request.params.deviceId);
      const { query } = request;
      const keys = readKeysParameter(query);
      const isStrict = query.useStrictDataTypes === "true";
      const isHistory = query.startTs !== undefined || query.endTs !== undefined;
      const series = isHistory ? readHistory(device, keys, query) : readLatest(device, keys, now());
      const members = series.map(([key, points]) => `${printString(key)}:[${points.map((p) => printPoint(p, isStrict)).join(",")}]`);
      return sendJson(reply, `{${members.join(",")}}`);
    },
  );
  app.get<{ Params: { deviceId: string } }>("/api/plugins/telemetry/DEVICE/:deviceId/keys/timeseries", async (request) => [
    ...requireDevice(devices, request.params.deviceId).latest.keys(),
  ]);
}

type PrintablePoint = Point | { readonly tsMs: number; readonly value: null };

/** A key that was asked for by name and has no value answers null at the present time, as ThingsBoard does. */
function readLatest(device: Device, keys: string[] | undefined, nowMs: number): [string, PrintablePoint[]][] {
  return (keys ?? [...device.latest.keys()]).map((key) => [key, [device.latest.get(key) ?? { tsMs: nowMs, value: null }]]);
}

/** Points with startTs <= ts < endTs, newest first unless asked otherwise. */
function readHistory(device: Device, keys: string[] | undefined, query: TimeseriesQuery): [string, PrintablePoint[]][] {
  if (keys === undefined) throw new RestError(400, '"keys" is required with "startTs" and "endTs"');
  const startMs = readNumber("startTs", query.startTs, 0);
  const endMs = readNumber("endTs", query.endTs, Number.MAX_SAFE_INTEGER);
  const limit = query.limit === undefined ? defaultLimit : readCount("limit", query.limit, 1);
  const order = (query.orderBy ?? "DESC").toUpperCase();
  if (order !== "ASC" && order !== "DESC") throw new RestError(400, '"orderBy" must be ASC or DESC');
  if ((query.agg ?? "NONE") !== "NONE") throw new RestError(400, '"agg" must be NONE: this server does not aggregate');
  return keys.flatMap((key): [string, PrintablePoint[]][] => {
    const points = (device.history.get(key) ?? []).filter(({ tsMs }) => tsMs >= startMs && tsMs < endMs);
    if (points.length === 0) return [];
    const ordered = order === "ASC" ? points : points.reverse();
    return [[key, ordered.slice(0, limit)]];
  });
}

function readNumber(name: string, text: string | undefined, absent: number): number {
  if (text === undefined) return absent;
  if (!/^-?\d+$/.test(text)) throw new RestError(400, `"${name}" must be a whole number`);
  return Number(text);
}

function printPoint({ tsMs, value }: PrintablePoint, isStrict: boolean): string {
  const text = value === null ? "null" : isStrict ? printValue(value) : printString(valueText(value));
  return `{"ts":${tsMs},"value":${text}}`;
}
