import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

/** A value that prints as `[secret]` everywhere; `open` is called where a person gets it: by the file writer, and by the page that shows it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The first 8 hex digits of the SHA-256 of the value: enough to tell two secrets apart. */
  get fingerprint(): string {
    return createHash('sha256').update(this.#value).digest('hex').slice(0, 8);
  }

  open(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
