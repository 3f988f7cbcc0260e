/// Programs on the public API, run by the build.
module dev.doorbell.examples {
  requires static org.jspecify;
  requires dev.doorbell.core;
}
