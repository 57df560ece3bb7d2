// The client of Warifu's /api/v1. Everything about paths, parameters and answers comes from
// api.ts, which is generated from the server's OpenAPI document; this file adds the address,
// the key and one kind of error.
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.js";

export type { components, operations, paths } from "./api.js";

/** A problem as the server tells it (RFC 9457), thrown by every call. */
export class WarifuProblem extends Error {
  /** The stable last part of the problem's type: "client-unknown". */
  readonly slug: string;
  constructor(
    readonly status: number,
    readonly problem: Partial<components["schemas"]["Problem"]>,
  ) {
    super(problem.title ?? `HTTP ${status}`);
    this.name = "WarifuProblem";
    this.slug = (problem.type ?? "").split(/[/:]/).pop() ?? "";
  }
}

export interface Options {
  /** Where the server is: WARIFU_SERVER of the .env. */
  server: string;
  /** WARIFU_API_KEY of the .env, or the token that changes a registration. */
  key?: string;
  /** "ja" or "en": the language of problems. */
  language?: string;
  fetch?: typeof globalThis.fetch;
}

/** Returns a typed client: `const { data } = await api.POST("/api/v1/verifications", { body })`. */
export function warifu(options: Options): Client<paths> {
  const headers: Record<string, string> = {};
  if (options.key) headers["Authorization"] = `Bearer ${options.key}`;
  if (options.language) headers["Accept-Language"] = options.language;
  const client = createClient<paths>({
    baseUrl: options.server,
    headers,
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });
  client.use({
    async onResponse({ response }) {
      if (response.ok) return undefined;
      const problem = await response.json().catch(() => ({}));
      throw new WarifuProblem(response.status, problem);
    },
  });
  return client;
}
