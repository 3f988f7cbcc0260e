/// The command `doorbell`.
module dev.doorbell.cli {
  requires static org.jspecify;
  requires dev.doorbell.core;
  requires dev.doorbell.bench;
  requires dev.doorbell.diff;
  requires dev.doorbell.linux;
  requires dev.doorbell.qemu;
  requires info.picocli;
  requires tools.jackson.databind;

  opens dev.doorbell.cli to
      info.picocli,
      tools.jackson.databind;
}
