// The agent as the test world starts it: the app itself, bundled with nothing added.

import '../../apps/host-agent/src/main';
