package dev.doorbell.qemu;

import java.time.Duration;

/// A program that starts QEMU, prints the processes that it has then, and waits to be killed. Started in a process of its own.
final class HoldQemu {
  private HoldQemu() {}

  /// @param args `exit` to leave by System.exit without closing, `describing` to have firmware's tables laid out
  public static void main(String[] args) throws Exception {
    QemuProcess qemu = Qemus.start(QemuBinary.arm(), Duration.ofSeconds(60));
    if (args.length > 0 && args[0].equals("describing")) {
      new MachineSysroot(qemu).deviceTree(new byte[64]);
    }
    StringBuilder pids = new StringBuilder();
    ProcessHandle.current().descendants().forEach(p -> pids.append(' ').append(p.pid()));
    System.out.println("pids" + pids + " on " + qemu.version());
    System.out.flush();
    if (args.length > 0 && args[0].equals("exit")) {
      System.exit(0);
    }
    if (args.length > 0 && args[0].equals("halt")) {
      Runtime.getRuntime().halt(0);
    }
    Thread.sleep(Long.MAX_VALUE);
  }
}
