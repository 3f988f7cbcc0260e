/// Benchmarks of the paths that every interrupt and every DMA takes.
module dev.doorbell.bench {
  requires static org.jspecify;
  requires transitive dev.doorbell.core;
  requires dev.doorbell.linux;
  requires jmh.core;

  exports dev.doorbell.bench;
}
