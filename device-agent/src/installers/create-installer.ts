import { createBlockDevicesInstaller } from './block-devices.ts';
import { environmentSelection } from './boot-selection.ts';
import { commandReceiver } from './command.ts';
import type { CommandConfig, InstallerConfig } from './config.ts';
import { createFilesInstaller } from './files.ts';
import { createInPlaceInstaller } from './in-place.ts';
import type { Installer } from './installer.ts';
import { raucReceiver, raucSelection } from './rauc.ts';
import { createStagedInstaller } from './staged.ts';
import { swupdateReceiver } from './swupdate.ts';

/** The installer that the configuration names. */
export function createInstaller(config: InstallerConfig): Installer {
  switch (config.kind) {
    case 'files':
      return createFilesInstaller(config);
    case 'block-devices':
      return createBlockDevicesInstaller(config);
    case 'rauc':
      return createStagedInstaller({
        ...config,
        receiver: () => raucReceiver(config),
        selection: raucSelection(config),
      });
    case 'swupdate':
      return createStagedInstaller({
        ...config,
        receiver: (slot) => swupdateReceiver(config, slot),
        selection: environmentSelection(config, { a: [], b: [] }),
      });
    case 'command':
      return createCommandInstaller(config);
  }
}

function createCommandInstaller(config: CommandConfig): Installer {
  const { running, bootEnvironment, environment } = config;
  if (running === undefined || bootEnvironment === undefined) return createInPlaceInstaller(config);
  return createStagedInstaller({
    ...config,
    receiver: (slot) => commandReceiver(config, slot),
    selection: environmentSelection({ running, bootEnvironment, environment }, { a: [], b: [] }),
  });
}
