// The matrix of the machine's own Docker, on release 26. What machines go through is tested on the oldest and the newest.

import { describeMatrix } from './matrix';
import { engineOf } from './tested-engine';

describeMatrix('Docker 26 on three hosts', engineOf('docker-26'));
