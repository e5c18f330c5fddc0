// All that is tested of the machine's own Docker, on release 26.

import { describeMatrix } from './matrix';
import { describeSurvival } from './survival';
import { engineOf } from './tested-engine';

const engine = engineOf('docker-26');
describeMatrix('Docker 26 on three hosts', engine);
describeSurvival('Docker 26: containers live through', engine);
