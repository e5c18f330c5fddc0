// Seeded simulation of whole clusters in one process, with checkers. For tests and for `skein
// simulate`.
export { calmDisk, SimulatedDisk } from './disk';
export type { DiskConditions, DiskPorts } from './disk';
export { plantedClusterFaults } from './cluster/plants';
export type { PlantedClusterFault } from './cluster/plants';
export { simulateCluster } from './cluster/simulate-cluster';
export type { ClusterSimulationResult } from './cluster/simulate-cluster';
export type { ClusterRule, ClusterViolation } from './cluster/violations';
export { EventQueue } from './event-queue';
export { checkLinearizable } from './linearizability';
export type { LinearizabilityResult, Operation, SequentialModel } from './linearizability';
export { calmNetwork, SimulatedNetwork } from './network';
export type { NetworkConditions } from './network';
export type { Violation as RaftViolation } from './raft/checkers';
export { plantedFaults } from './raft/options';
export type { PlantedFault, RaftSimulationOptions } from './raft/options';
export { simulateRaft } from './raft/simulate';
export type { RaftSimulationResult } from './raft/simulate';
export { Random } from './random';
export { fullScale, lifeguardRuns, quickScale, runLifeguard } from './swim/lifeguard-paper';
export type { LifeguardOutcome, LifeguardRun, LifeguardScale } from './swim/lifeguard-paper';
export { lifeguardGoals, lifeguardReport } from './swim/lifeguard-report';
export type { LifeguardRow, Percentiles } from './swim/lifeguard-report';
export { simulateSwim } from './swim/simulate';
export type { SwimSimulationOptions, SwimSimulationResult, SwimViolation } from './swim/simulate';
export type { IpamViolation } from './ipam/checker';
export { plantedIpamFaults, simulateIpam } from './ipam/simulate-ipam';
export type {
  IpamSimulationOptions,
  IpamSimulationResult,
  PlantedIpamFault,
} from './ipam/simulate-ipam';
export { plantedSystemFaults } from './system/plants';
export type { PlantedSystemFault } from './system/plants';
export { simulateSystem } from './system/simulate-system';
export type { SystemSimulationResult } from './system/result';
export type { SystemRule, SystemViolation } from './system/violations';
