// What a person runs at a shell is loaded as one: each further entry point splits what the server loads at its start into more files.
export { tellOperator } from '../log.ts';
export { openTenant } from '../tenants/open.ts';
export { approve } from './approve.ts';
export { showAuditLog, verifyAuditLog } from './audit.ts';
export { runDoctor } from './doctor/doctor.ts';
export { runExport } from './export.ts';
export { manageSecretFiles } from './secrets.ts';
export { printRemoteSetup } from './setup/remote.ts';
export { printHostRecipe, printSetup } from './setup/setup.ts';
