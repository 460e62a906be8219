/** Whether a request writes or discloses: the number of these is what every attack is measured by. */
export const isGatedRequest = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  method !== 'GET' || /getDeploymentAccessKey/i.test(path);
