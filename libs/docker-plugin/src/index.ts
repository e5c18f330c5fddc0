// The public face: Docker's network and address plugin as decisions, without sockets, files and engines.

export { errorBody, isMethod, readCall, type Call, type Method, type ReadCall } from './protocol';
export { addressSpace, fixedReply } from './fixed-replies';
