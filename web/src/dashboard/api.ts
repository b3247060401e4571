// GET requests to the API, on the page's own origin. An error becomes an ApiError, which says what to
// do. Replies are kept for a minute, as the API allows, so that Back shows them at once.

import type { Problem } from "../interface.ts";
import { patiently } from "./patience.ts";
import { key, signOut } from "./session.ts";

const KEPT_MS = 60_000;
const MOST_KEPT = 200;

/** The error of a request: the API's own (RFC 9457), or that it could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;

  constructor(status: number, code: string, detail: string, requestId: string | null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

interface Kept {
  readonly reply: Promise<unknown>;
  readonly at: number;
}

const kept = new Map<string, Kept>();

/** The reply at a path under /v1, as JSON. Throws ApiError. */
export function get<T>(path: string): Promise<T> {
  const known = kept.get(path);
  if (known && performance.now() - known.at < KEPT_MS) return known.reply as Promise<T>;
  const reply = fetchJson(path);
  reply.catch(() => kept.delete(path));
  kept.delete(path);
  kept.set(path, { reply, at: performance.now() });
  for (const oldest of kept.keys()) {
    if (kept.size <= MOST_KEPT) break;
    kept.delete(oldest);
  }
  return reply as Promise<T>;
}

/** Forgets all replies, so that everything is requested again. */
export function forgetReplies(): void {
  kept.clear();
}

key.subscribe(forgetReplies); // another key may not see them

/** The reply at a path under /v1, as text of a media type. Throws ApiError. */
export async function getText(path: string, accept: string): Promise<string> {
  return (await request(path, accept)).text();
}

async function fetchJson(path: string): Promise<unknown> {
  return (await request(path, "application/json")).json();
}

async function request(path: string, accept: string): Promise<Response> {
  const used = key.value;
  const response = await send(path, accept, used);
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401 && key.value === used) signOut(problem.message);
  throw problem;
}

async function send(path: string, accept: string, used: string | null): Promise<Response> {
  const headers = { Accept: accept, Authorization: `Bearer ${used ?? ""}` };
  try {
    return await patiently(() => fetch(`/v1${path}`, { headers, credentials: "omit" }));
  } catch {
    throw new ApiError(0, "unreachable", "Pulse cannot be reached.", null);
  }
}

async function problemOf(response: Response): Promise<ApiError> {
  const requestId = response.headers.get("x-request-id");
  const body = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const detail = body.detail ?? `The answer was ${response.status} ${response.statusText}.`;
  return new ApiError(response.status, body.code ?? "unknown", detail, requestId);
}
