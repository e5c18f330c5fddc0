// All that is tested of the machine's own Docker, on release 28.

import { describeMatrix } from './matrix';
import { describeSurvival } from './survival';
import { engineOf } from './tested-engine';

const engine = engineOf('docker-28');
describeMatrix('Docker 28 on three hosts', engine);
describeSurvival('Docker 28: containers live through', engine);
