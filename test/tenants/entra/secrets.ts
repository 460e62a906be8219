import type { JWTPayload } from 'jose';
import { expect } from 'vitest';
import type { Entra } from '../../entra/entra.ts';

/** What a local Entra has issued that nobody but a sign-in library may ever see. */
export interface IssuedSecrets {
  /** Changes the claims of every token from now on. */
  alter: (claims: JWTPayload) => JWTPayload;
  /** Fails where something secret is in a text. */
  expectNoneIn(text: string): void;
}

/** Notes every token, code and refresh token that Entra issues from now on, beside the secrets that are known already. */
export function watchSecrets(entra: Entra, known: readonly string[]): IssuedSecrets {
  const secrets = new Set(known);
  const issued: IssuedSecrets = {
    alter: (claims) => claims,
    expectNoneIn(text) {
      expect(secrets.size).toBeGreaterThan(known.length);
      expect(/.{0,200}eyJ[\w-]{10,}\.[\w-].{0,100}/.exec(text)?.[0], 'a token is in an output').toBeUndefined();
      for (const secret of secrets) {
        const at = text.indexOf(secret);
        const found = at === -1 ? undefined : text.slice(Math.max(0, at - 200), at + secret.length);
        expect(found, 'a secret is in an output').toBeUndefined();
      }
    },
  };
  for (const key of [entra.key, entra.cluster]) {
    const { sign } = key;
    key.sign = async (claims) => {
      const token = await sign(issued.alter(claims));
      // A log masks tokens from their beginning on, so their end is what could be left.
      secrets.add(token.slice(-20));
      return token;
    };
  }
  for (const map of [entra.sessions, entra.codes] as Map<string, unknown>[]) {
    const { set } = map;
    map.set = (token, value) => set.call(secrets.add(token) && map, token, value);
  }
  const { push } = entra.deviceCodes;
  entra.deviceCodes.push = (...codes) => {
    for (const { deviceCode } of codes) secrets.add(deviceCode);
    return push.apply(entra.deviceCodes, codes);
  };
  return issued;
}
