// Real Docker engines on the hosts of a local cluster: how each is started, what its containers run, and what is removed after it.

export { cgroupJanitor, hierarchies } from './cgroups';
export { DockerClient, type DockerAnswer } from './docker-client';
export {
  engineAnswers,
  engineCommand,
  enginePaths,
  type EnginePaths,
  prepareEngine,
} from './engine';
export { addProgram, imageName, importImage, makeRootFolder } from './image';
export { type EngineRelease, otherReleases, pathWithRelease } from './releases';
export { lackingForEngines } from './requirements';
