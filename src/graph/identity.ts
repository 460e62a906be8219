/** Who acts, read from the access token itself. Bound by an approval. */
export interface Identity {
  readonly tenantId: string;
  /** `person` signed in, or the `app` itself. */
  readonly kind: 'person' | 'app';
  /** The person's object id, or the app's client id. */
  readonly id: string;
  readonly appId: string;
  /** A name to show, from the token: the user principal name, or the app's display name. */
  readonly name: string;
}
