// The machine's own Docker.

import { describeSurvival } from './survival';

describeSurvival('containers live through');
