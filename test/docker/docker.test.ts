// The machine's own Docker.

import { describeMatrix } from './matrix';

describeMatrix('Docker on three hosts');
