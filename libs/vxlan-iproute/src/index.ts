// libs/vxlan's plans carried out, and the kernel read back, with iproute2.

export { IprouteKernel, type ApplyOptions, type KernelFault, type KernelSettings } from './kernel';
export { hostRoutes, maxHostRoutes, routesOf } from './routes';
