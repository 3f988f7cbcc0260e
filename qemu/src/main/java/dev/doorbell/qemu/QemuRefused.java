package dev.doorbell.qemu;

/// QEMU understood a command and answered that it cannot do it. It goes on running.
public final class QemuRefused extends QemuException {
  private static final long serialVersionUID = 1L;

  QemuRefused(String program, String sent, String answer) {
    super(
        "%s refused '%s': %s".formatted(program, sent, answer),
        "the command may need a newer QEMU or another machine",
        null);
  }
}
