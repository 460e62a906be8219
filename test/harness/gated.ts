/** Whether a request writes or discloses, so that a person has to be asked before it; every count of an attack rests on this. */
export const isGatedRequest = ({ method, path }: { readonly method: string; readonly path: string }) =>
  method !== 'GET' || /getDeploymentAccessKey/i.test(path);
