/** What a call's arguments are, read from a tool's parameters by the compiler. Types alone: the grammar holds calls to them. */
import type { Json } from "../json.ts";

/** An object of a library that yields JSON Schema: Zod 4, Valibot's in toStandardJsonSchema(). Source: standardschema.dev. */
interface Standard<I = unknown> {
  readonly "~standard": { readonly types?: { readonly input: I } | undefined };
}

/** A value of a JSON Schema; what the compiler cannot follow, `$ref` and `allOf` among it, is any JSON. */
export type ValueOf<S> = NotNull<S> | (S extends { readonly nullable: true } ? null : never);

type NotNull<S> = S extends { readonly const: infer C }
  ? Writable<C>
  : S extends { readonly enum: readonly (infer E)[] }
    ? Writable<E>
    : S extends { readonly anyOf: readonly (infer O)[] } | { readonly oneOf: readonly (infer O)[] }
      ? O extends unknown
        ? ValueOf<O>
        : never
      : S extends { readonly type: readonly (infer T)[] }
        ? T extends string
          ? Typed<T, S>
          : never
        : S extends { readonly type: infer T extends string }
          ? Typed<T, S>
          : Json;

type Typed<T extends string, S> = string extends T
  ? Json
  : T extends "string"
    ? string
    : T extends "number" | "integer"
      ? number
      : T extends "boolean"
        ? boolean
        : T extends "null"
          ? null
          : T extends "array"
            ? ListOf<S>
            : T extends "object"
              ? ObjectOf<S>
              : Json;

type ListOf<S> = S extends { readonly prefixItems: infer P extends readonly unknown[]; readonly items: false }
  ? { -readonly [I in keyof P]: ValueOf<P[I]> }
  : S extends { readonly prefixItems: readonly unknown[] }
    ? Json[]
    : S extends { readonly items: infer I }
      ? ValueOf<I>[]
      : Json[];

type ObjectOf<S> = S extends { readonly properties: infer P }
  ? Keyed<P, S extends { readonly required: readonly (infer R)[] } ? R : never>
  : S extends { readonly additionalProperties: infer V extends object }
    ? { [key: string]: ValueOf<V> }
    : { [key: string]: Json };

/** The properties P, of which R are always there. */
type Keyed<P, R> = Flat<
  { -readonly [K in keyof P as K extends R ? K : never]: ValueOf<P[K]> } & {
    -readonly [K in keyof P as K extends R ? never : K]?: ValueOf<P[K]>;
  }
>;

type Flat<T> = { [K in keyof T]: T[K] };

/** Of a literal in `as const`, what JSON gives. */
type Writable<T> = T extends readonly unknown[] | object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;

/** In the native form each property says by itself whether it is required. */
type Native<P> = Keyed<P, { [K in keyof P]: P[K] extends { readonly required: true } ? K : never }[keyof P]>;

/** The arguments of a call by its tool's `parameters`: a standard schema, a JSON Schema, or the native form. */
export type ArgumentsOf<P> = unknown extends P
  ? Record<string, Json>
  : P extends Standard<infer I>
    ? I
    : P extends { readonly type: "object" } | { readonly properties: object }
      ? ObjectOf<P>
      : P extends undefined
        ? Record<string, never>
        : Native<P>;
